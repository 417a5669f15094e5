using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>An open file descriptor; closed when disposed, or when nobody refers to it any more.</summary>
public sealed class FileDescriptor : SafeHandle
{
    /// <summary>Takes ownership of an open descriptor.</summary>
    public FileDescriptor(int fd)
        : base(-1, ownsHandle: true)
    {
        SetHandle(fd);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <summary>The number; -1, which the kernel refuses, once it is closed.</summary>
    public int Number => IsClosed ? -1 : (int)handle;

    /// <summary>The size of the file behind it in bytes, or -1 when it has none (a socket, an eventfd).</summary>
    public long GetSizeBytes() => Libc.lseek(Number, 0, Libc.SEEK_END);

    /// <summary>What the kernel calls the file behind it: <c>anon_inode:[eventfd]</c>, <c>/memfd:name (deleted)</c>, a path.</summary>
    /// <exception cref="LinuxException">The descriptor is closed, or /proc is not mounted.</exception>
    public unsafe string GetTarget()
    {
        byte* buffer = stackalloc byte[512];
        nint length = Libc.readlink($"/proc/self/fd/{Number}", buffer, 512);
        if (length < 0)
        {
            throw new LinuxException("readlink", $"/proc/self/fd/{Number}");
        }

        return System.Text.Encoding.UTF8.GetString(buffer, (int)length);
    }

    /// <summary>Makes reads and writes return EAGAIN where they would wait. Shared with every holder of the same open file.</summary>
    /// <exception cref="LinuxException">The descriptor is closed.</exception>
    public void SetNonBlocking()
    {
        int flags = Libc.fcntl(Number, Libc.F_GETFL, 0);
        if (flags < 0 || Libc.fcntl(Number, Libc.F_SETFL, flags | Libc.O_NONBLOCK) < 0)
        {
            throw new LinuxException("fcntl", "O_NONBLOCK");
        }
    }

    /// <summary>Should it be a socket, it does not wait any more, when it is closed, until its peer has read all (SO_LINGER).</summary>
    public unsafe void StopLingering()
    {
        var off = default(Libc.Linger);
        _ = Libc.setsockopt(Number, Libc.SOL_SOCKET, Libc.SO_LINGER, &off, (uint)sizeof(Libc.Linger));
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
