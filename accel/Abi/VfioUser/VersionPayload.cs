using System.Runtime.InteropServices;

namespace WarpDrive.Abi.VfioUser;

/// <summary>How VERSION starts, both ways; JSON text (<see cref="ProtocolCapabilities"/>) and a NUL follow.
/// <code>
///  0  u16  major     2  u16  minor
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct VersionPayload
{
    /// <summary>Size without the text.</summary>
    public const int SizeInBytes = 4;

    /// <summary>The major version that this code speaks.</summary>
    public const ushort SupportedMajor = 0;

    /// <summary>The highest minor version that this code speaks.</summary>
    public const ushort SupportedMinor = 0;

    /// <summary>Must be the same on both sides.</summary>
    [FieldOffset(0)] public ushort Major;

    /// <summary>The reply holds the smaller of both sides'.</summary>
    [FieldOffset(2)] public ushort Minor;
}
