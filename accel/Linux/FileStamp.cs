namespace WarpDrive.Linux;

/// <summary>
/// What of a file changes when it is written or replaced, symbolic links on the way followed: two stamps that are equal are of the same content
/// (stat(2); the time of the last status change cannot be set by programs).
/// </summary>
/// <param name="IsFile">Whether it is a regular file: no directory, and no pipe, which can be read once.</param>
/// <param name="Device">Major number in the upper half, minor in the lower.</param>
/// <param name="Inode">The file's number on that device.</param>
/// <param name="LengthBytes">Its length.</param>
/// <param name="ModifiedNs">When its content last changed, in nanoseconds since 1970.</param>
/// <param name="ChangedNs">When its content or its inode last changed.</param>
public readonly record struct FileStamp(bool IsFile, ulong Device, ulong Inode, ulong LengthBytes, long ModifiedNs, long ChangedNs)
{
    /// <summary>Reads it. False when there is no such file, or the way to it is closed; nothing is opened.</summary>
    /// <param name="path">Of a file or a directory; not empty.</param>
    /// <param name="stamp">Zeros when false.</param>
    public static unsafe bool TryRead(string path, out FileStamp stamp)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Libc.Statx file;
        if (Libc.statx(Libc.AT_FDCWD, path, 0, Libc.STATX_BASIC_STATS, &file) != 0)
        {
            stamp = default;
            return false;
        }

        stamp = new FileStamp(
            (file.Mode & Libc.S_IFMT) == Libc.S_IFREG,
            ((ulong)file.DeviceMajor << 32) | file.DeviceMinor,
            file.Inode,
            file.Size,
            Nanoseconds(file.Modified),
            Nanoseconds(file.Changed));
        return true;
    }

    private static long Nanoseconds(in Libc.StatxTime time) => (time.Seconds * 1_000_000_000) + time.Nanoseconds;
}
