namespace WarpDrive.Linux;

/// <summary>
/// Memory that processes share by passing its file descriptor (memfd_create(2)). Sealed when created: it can
/// neither shrink nor grow, so nobody who maps it can be made to fault (SIGBUS) by whoever else holds it.
/// </summary>
public sealed class SharedMemory : IDisposable
{
    private const int SealSeal = 1;
    private const int SealShrink = 2;
    private const int SealGrow = 4;
    private const long HugePageFileSystem = 0x958458f6;     // HUGETLBFS_MAGIC, linux/magic.h

    private SharedMemory(FileDescriptor file, MappedMemory memory)
    {
        File = file;
        Memory = memory;
    }

    /// <summary>The descriptor to pass on. Owned by this object.</summary>
    public FileDescriptor File { get; }

    /// <summary>The memory as this process maps it, readable and writable.</summary>
    public MappedMemory Memory { get; }

    /// <summary>Creates zeroed memory and maps it.</summary>
    /// <param name="name">Shown in /proc/PID/maps; need not be unique.</param>
    /// <param name="length">Bytes; rounded up to whole pages.</param>
    /// <param name="secret">Whether to lock the pages and keep them out of core files and forks.</param>
    /// <exception cref="LinuxException">No memory, no descriptor left, or no memfd on this system.</exception>
    public static SharedMemory Create(string name, int length, bool secret)
    {
        FileDescriptor file = CreateFile(name, length, out int sizeBytes);
        try
        {
            return new SharedMemory(file, MappedMemory.MapShared(file, 0, sizeBytes, writable: true, secret));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Create"/>, but maps nothing: parts of the file can be mapped, and locked, as they are needed.</summary>
    /// <param name="name">Shown in /proc/PID/maps; need not be unique.</param>
    /// <param name="length">Bytes; rounded up to whole pages.</param>
    /// <param name="sizeBytes">What it was rounded up to.</param>
    /// <exception cref="LinuxException">No descriptor left, or no memfd on this system.</exception>
    public static FileDescriptor CreateFile(string name, int length, out int sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        int pageSize = Environment.SystemPageSize;
        sizeBytes = checked((length + pageSize - 1) / pageSize * pageSize);

        int fd = Libc.memfd_create(name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
        if (fd < 0)
        {
            throw new LinuxException("memfd_create", name);
        }

        var file = new FileDescriptor(fd);
        try
        {
            if (Libc.ftruncate(fd, sizeBytes) != 0)
            {
                throw new LinuxException("ftruncate", $"{name}, {sizeBytes} bytes");
            }

            return Libc.fcntl(fd, Libc.F_ADD_SEALS, SealShrink | SealGrow | SealSeal) == 0
                ? file
                : throw new LinuxException("fcntl", $"{name}, F_ADD_SEALS");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file can never become shorter. False also for files that cannot be sealed at all.</summary>
    public static bool IsSealedAgainstShrinking(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        int seals = Libc.fcntl(file.Number, Libc.F_GET_SEALS, 0);
        return seals >= 0 && (seals & SealShrink) != 0;
    }

    /// <summary>
    /// Whether the file is made of huge pages. Of those the system has a fixed number: whoever maps such a file can be made to fault (SIGBUS) also
    /// when it is sealed, by holes that its owner punches into it.
    /// </summary>
    /// <exception cref="LinuxException">The descriptor is of no file.</exception>
    public static unsafe bool IsOfHugePages(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        long* description = stackalloc long[16];
        return Libc.fstatfs(file.Number, description) == 0 ? description[0] == HugePageFileSystem : throw new LinuxException("fstatfs", "file");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Memory.Dispose();
        File.Dispose();
    }
}
