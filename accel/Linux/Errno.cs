namespace WarpDrive.Linux;

/// <summary>Error numbers of Linux that this code names (asm-generic/errno-base.h and errno.h; the same on x86-64 and arm64).</summary>
public static class Errno
{
    /// <summary>Operation not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>No such file or directory.</summary>
    public const int ENOENT = 2;

    /// <summary>No such process or thread.</summary>
    public const int ESRCH = 3;

    /// <summary>Interrupted system call.</summary>
    public const int EINTR = 4;

    /// <summary>Input/output error.</summary>
    public const int EIO = 5;

    /// <summary>No such device or address.</summary>
    public const int ENXIO = 6;

    /// <summary>Argument list too long.</summary>
    public const int E2BIG = 7;

    /// <summary>Bad file descriptor.</summary>
    public const int EBADF = 9;

    /// <summary>Try again; the call would block.</summary>
    public const int EAGAIN = 11;

    /// <summary>Out of memory, or over the limit of locked memory.</summary>
    public const int ENOMEM = 12;

    /// <summary>Permission denied.</summary>
    public const int EACCES = 13;

    /// <summary>Bad address.</summary>
    public const int EFAULT = 14;

    /// <summary>Device or resource busy.</summary>
    public const int EBUSY = 16;

    /// <summary>File exists; for a mapping: the range overlaps another.</summary>
    public const int EEXIST = 17;

    /// <summary>No such device.</summary>
    public const int ENODEV = 19;

    /// <summary>Invalid argument.</summary>
    public const int EINVAL = 22;

    /// <summary>A request that the file does not know.</summary>
    public const int ENOTTY = 25;

    /// <summary>No space left: a stated limit is reached.</summary>
    public const int ENOSPC = 28;

    /// <summary>Broken pipe.</summary>
    public const int EPIPE = 32;

    /// <summary>Protocol error.</summary>
    public const int EPROTO = 71;

    /// <summary>Too many users.</summary>
    public const int EUSERS = 87;

    /// <summary>Message too long.</summary>
    public const int EMSGSIZE = 90;

    /// <summary>Operation not supported.</summary>
    public const int EOPNOTSUPP = 95;

    /// <summary>Address already in use.</summary>
    public const int EADDRINUSE = 98;

    /// <summary>Connection reset by peer.</summary>
    public const int ECONNRESET = 104;

    /// <summary>Connection timed out.</summary>
    public const int ETIMEDOUT = 110;

    /// <summary>Connection refused: a socket file without a listener.</summary>
    public const int ECONNREFUSED = 111;

    /// <summary>The connection is being made.</summary>
    public const int EINPROGRESS = 115;
}
