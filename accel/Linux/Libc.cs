using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>Declarations of the C library, as in its manual pages. Nothing here decides anything.</summary>
internal static unsafe partial class Libc
{
    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;
    public const int MAP_SHARED = 1;
    public const int MAP_PRIVATE = 2;
    public const int MAP_ANONYMOUS = 0x20;
    public const int MADV_DONTFORK = 10;
    public const int MADV_DONTDUMP = 16;
    public const int RLIMIT_MEMLOCK = 8;
    public const uint MFD_CLOEXEC = 1;
    public const uint MFD_ALLOW_SEALING = 2;
    public const int F_GETFL = 3;
    public const int F_SETFL = 4;
    public const int F_DUPFD_CLOEXEC = 1030;
    public const int F_ADD_SEALS = 1033;
    public const int F_GET_SEALS = 1034;
    public const int O_NONBLOCK = 0x800;
    public const int EFD_CLOEXEC = 0x80000;
    public const int EFD_NONBLOCK = 0x800;
    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 1;
    public const uint EPOLLET = 1u << 31;
    public const int AF_UNIX = 1;
    public const int SOCK_STREAM = 1;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int SOL_SOCKET = 1;
    public const int SCM_RIGHTS = 1;
    public const int SHUT_RDWR = 2;
    public const int SO_PEERCRED = 17;
    public const int SO_RCVTIMEO = 20;
    public const int SO_SNDTIMEO = 21;
    public const int MSG_CTRUNC = 8;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_NOSIGNAL = 0x4000;
    public const int MSG_CMSG_CLOEXEC = 0x40000000;
    public const int SEEK_END = 2;
    public const int FUTEX_WAIT_PRIVATE = 0 | 128;
    public const int FUTEX_WAKE_PRIVATE = 1 | 128;
    public const int SCHED_RESET_ON_FORK = 0x40000000;

    private const string C = "libc";

    [LibraryImport(C, SetLastError = true)]
    public static partial int close(int fd);

    // Returns MAP_FAILED, that is -1, not null.
    [LibraryImport(C, SetLastError = true)]
    public static partial void* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport(C, SetLastError = true)]
    public static partial int munmap(void* address, nuint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int mlock(void* address, nuint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int getrlimit(int resource, out ResourceLimit limit);

    [LibraryImport(C, SetLastError = true)]
    public static partial int madvise(void* address, nuint length, int advice);

    [LibraryImport(C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int memfd_create(string name, uint flags);

    // Fills 120 bytes, of which the first word says what file system it is.
    [LibraryImport(C, SetLastError = true)]
    public static partial int fstatfs(int fd, long* description);

    [LibraryImport(C, SetLastError = true)]
    public static partial int ftruncate(int fd, long length);

    [LibraryImport(C, SetLastError = true)]
    public static partial long lseek(int fd, long offset, int whence);

    // Variadic in C; an int argument travels in the same register either way on Linux x86-64 and arm64.
    [LibraryImport(C, SetLastError = true)]
    public static partial int fcntl(int fd, int command, int argument);

    [LibraryImport(C, SetLastError = true)]
    public static partial int eventfd(uint initial, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint write(int fd, void* buffer, nuint count);

    [LibraryImport(C, SetLastError = true)]
    public static partial int ppoll(PollFd* fds, nuint count, TimeSpec* timeout, void* signalMask);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_create1(int flags);

    // The event is packed (12 bytes) on x86-64 only, hence bytes and not a struct: see Epoll.
    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_ctl(int epoll, int operation, int fd, byte* @event);

    [LibraryImport(C, SetLastError = true)]
    public static partial int epoll_wait(int epoll, byte* events, int count, int timeoutMs);

    [LibraryImport(C, SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport(C, SetLastError = true)]
    public static partial int bind(int fd, SockAddrUn* address, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int listen(int fd, int backlog);

    [LibraryImport(C, SetLastError = true)]
    public static partial int accept4(int fd, void* address, uint* length, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int connect(int fd, SockAddrUn* address, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint sendmsg(int fd, MsgHdr* message, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint recvmsg(int fd, MsgHdr* message, int flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int getsockopt(int fd, int level, int name, void* value, uint* length);

    [LibraryImport(C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int chmod(string path, uint mode);

    [LibraryImport(C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint readlink(string path, byte* buffer, nuint size);

    [LibraryImport(C)]
    public static partial nint pthread_self();

    // Return the error number, and leave errno alone.
    [LibraryImport(C)]
    public static partial int pthread_getschedparam(nint thread, int* policy, int* priority);

    [LibraryImport(C)]
    public static partial int pthread_setschedparam(nint thread, int policy, int* priority);

    // A thread's number, or 0 for the caller. Returns 0; the bare system call would return how many bytes it filled, and glibc zeroes the rest.
    [LibraryImport(C, SetLastError = true)]
    public static partial int sched_getaffinity(int thread, nuint maskBytes, ulong* mask);

    [LibraryImport(C, SetLastError = true)]
    public static partial int sched_setaffinity(int thread, nuint maskBytes, ulong* mask);

    [LibraryImport(C, SetLastError = true)]
    public static partial int kill(int processId, int signal);

    // No library wraps futex(2). Variadic in C; these arguments travel in the same registers either way on Linux x86-64 and arm64.
    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint futex(nint number, int* word, int operation, int value, TimeSpec* timeout, int* word2, int value3);

    [StructLayout(LayoutKind.Sequential)]
    public struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct TimeVal
    {
        public long Seconds;
        public long Microseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct SockAddrUn
    {
        public const int PathCapacity = 108;

        public ushort Family;
        public fixed byte Path[PathCapacity];
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct IoVec
    {
        public void* Base;
        public nuint Length;
    }

    // glibc's layout; musl splits the two lengths into int + zero padding, which is the same bytes on little-endian machines.
    [StructLayout(LayoutKind.Sequential)]
    public struct MsgHdr
    {
        public void* Name;
        public uint NameLength;
        public IoVec* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct UCred
    {
        public int ProcessId;
        public uint UserId;
        public uint GroupId;
    }

    // TCP sockets and waiting for many of them: TcpSocket, SocketPoller.
    public const uint EPOLLOUT = 4;
    public const uint EPOLLRDHUP = 0x2000;
    public const int IPPROTO_TCP = 6;
    public const int TCP_NODELAY = 1;
    public const int SO_LINGER = 13;
    public const int IPPROTO_IP = 0;
    public const int IP_BIND_ADDRESS_NO_PORT = 24;

    // Any family: the bytes of a sockaddr.
    [LibraryImport(C, SetLastError = true)]
    public static partial int bind(int fd, byte* address, uint length);

    [LibraryImport(C, SetLastError = true)]
    public static partial int connect(int fd, byte* address, uint length);

    [StructLayout(LayoutKind.Sequential)]
    public struct Linger
    {
        public int OnOff;
        public int Seconds;
    }
}
