namespace WarpDrive.Linux;

/// <summary>Devices of this machine: the system calls are made.</summary>
public sealed unsafe class KernelDeviceCalls : IDeviceCalls
{
    private KernelDeviceCalls()
    {
    }

    /// <summary>The only one; it has no state.</summary>
    public static KernelDeviceCalls Instance { get; } = new();

    /// <inheritdoc/>
    public FileDescriptor Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        int fd = Libc.open(path, Libc.O_RDWR | Libc.O_CLOEXEC);
        return fd < 0 ? throw new LinuxException("open", path) : new FileDescriptor(fd);
    }

    /// <inheritdoc/>
    public int Control(FileDescriptor file, uint request, Span<byte> argument, string name)
    {
        fixed (byte* pointer = argument)
        {
            return Control(file, request, pointer, name);
        }
    }

    /// <inheritdoc/>
    public int ControlByValue(FileDescriptor file, uint request, long argument, string name) => Control(file, request, (void*)argument, name);

    /// <inheritdoc/>
    public void Read(FileDescriptor file, long offset, Span<byte> data)
    {
        ArgumentNullException.ThrowIfNull(file);
        fixed (byte* pointer = data)
        {
            Check(Libc.pread(file.Number, pointer, (nuint)data.Length, offset), data.Length, "pread", offset);
        }
    }

    /// <inheritdoc/>
    public void Write(FileDescriptor file, long offset, ReadOnlySpan<byte> data)
    {
        ArgumentNullException.ThrowIfNull(file);
        fixed (byte* pointer = data)
        {
            Check(Libc.pwrite(file.Number, pointer, (nuint)data.Length, offset), data.Length, "pwrite", offset);
        }
    }

    /// <inheritdoc/>
    public MappedMemory Map(FileDescriptor file, long offset, int length) => MappedMemory.MapShared(file, offset, length, writable: true, secret: false);

    /// <inheritdoc/>
    public bool WaitReadable(FileDescriptor file, TimeSpan timeout) => Poll.WaitReadable(file, null, timeout) != 0;

    /// <inheritdoc/>
    public void Unmap(MappedMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        memory.Dispose();
    }

    /// <inheritdoc/>
    public void Close(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        file.Dispose();
    }

    private static void Check(nint result, int length, string call, long offset)
    {
        string what = $"device, {length} bytes at 0x{offset:x}";
        if (result < 0)
        {
            throw new LinuxException(call, what);
        }

        if (result != length)
        {
            throw new LinuxException(call, what, Errno.EIO);
        }
    }

    private static int Control(FileDescriptor file, uint request, void* argument, string name)
    {
        ArgumentNullException.ThrowIfNull(file);
        int result = Libc.ioctl(file.Number, request, argument);
        return result < 0 ? throw new LinuxException("ioctl", name) : result;
    }
}
