using System.Runtime.InteropServices;

namespace WarpDrive.Engines;

/// <summary>Whom a file belongs to, which .NET does not tell.</summary>
internal static unsafe partial class FileOwner
{
    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const uint STATX_BASIC_STATS = 0x7ff;
    private const int S_IFMT = 0xf000;
    private const int S_IFREG = 0x8000;
    private const int WritableByOthers = 0x12;      // 022

    /// <summary>Whether the path is a regular file, no link, of this process's user, that nobody else may write.</summary>
    public static bool IsOurs(string path)
    {
        Statx status;
        return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status) == 0
            && (status.Mode & S_IFMT) == S_IFREG
            && (status.Mode & WritableByOthers) == 0
            && status.UserId == geteuid();
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, Statx* status);

    [LibraryImport("libc")]
    private static partial uint geteuid();

    // The same on every architecture, other than struct stat.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(20)] public uint UserId;
        [FieldOffset(28)] public ushort Mode;
    }
}
