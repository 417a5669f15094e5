using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>An open file of a device, as the kernel's driver of it behaves. Members throw what the system call would fail with.</summary>
internal abstract class FakeFile : IDisposable
{
    /// <summary>ioctl(2) with a pointer.</summary>
    public abstract int Control(uint request, Span<byte> argument);

    /// <summary>ioctl(2) with a number.</summary>
    public virtual int ControlByValue(uint request, long argument) => throw Refused("ioctl", $"0x{request:x}", Errno.EINVAL);

    /// <summary>pread(2).</summary>
    public virtual void Read(long offset, Span<byte> data) => throw Refused("pread", $"{data.Length} bytes at {offset}", Errno.EINVAL);

    /// <summary>pwrite(2).</summary>
    public virtual void Write(long offset, ReadOnlySpan<byte> data) => throw Refused("pwrite", $"{data.Length} bytes at {offset}", Errno.EINVAL);

    /// <summary>mmap(2).</summary>
    public abstract MappedMemory Map(long offset, int length);

    /// <summary>poll(2): whether there was news within the time.</summary>
    public virtual bool Wait(TimeSpan timeout) => true;

    /// <summary>munmap(2) of what <see cref="Map"/> gave; it is mapped until this returns.</summary>
    public virtual void Unmapped(MappedMemory memory)
    {
    }

    /// <summary>close(2).</summary>
    public abstract void Dispose();

    protected static LinuxException Refused(string call, string what, int error) => new(call, $"fake: {what}", error);
}
