using System.Runtime.InteropServices;

namespace WarpDrive.Abi.VfioUser;

/// <summary>Bits of <see cref="MessageHeader.Flags"/>.</summary>
[Flags]
public enum MessageFlags : uint
{
    /// <summary>A command that wants a reply.</summary>
    Command = 0,

    /// <summary>A reply.</summary>
    Reply = 1,

    /// <summary>The bits that hold the type: <see cref="Command"/> or <see cref="Reply"/>.</summary>
    TypeMask = 0xf,

    /// <summary>A command that wants no reply.</summary>
    NoReply = 0x10,

    /// <summary>A reply that says that the command failed.</summary>
    Error = 0x20,
}

/// <summary>What every vfio-user message starts with. Source: the vfio-user specification; accel/README.md "vfio-user messages".
/// <code>
///  0  u16  message id, chosen by the client       8  u32  flags: type 3:0, bit 4 no reply, bit 5 error
///  2  u16  command                               12  u32  error number of an error reply
///  4  u32  message size, header included
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct MessageHeader
{
    /// <summary>Size of the header.</summary>
    public const int SizeInBytes = 16;

    /// <summary>Chosen by the client; the reply repeats it.</summary>
    [FieldOffset(0)] public ushort Id;

    /// <summary>The command; the reply repeats it.</summary>
    [FieldOffset(2)] public VfioUserCommand Command;

    /// <summary>Bytes of the message, this header included.</summary>
    [FieldOffset(4)] public uint Size;

    /// <summary>Type and flags.</summary>
    [FieldOffset(8)] public MessageFlags Flags;

    /// <summary>Error number (errno) of an error reply, else zero.</summary>
    [FieldOffset(12)] public uint Error;
}
