using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>Descriptors of all kinds, none of which is the memory or the eventfd that a client should send.</summary>
internal static partial class DescriptorZoo
{
    private const int Seals = 1033, SealShrink = 2, SealGrow = 4, SealWrite = 8, SealFutureWrite = 16;

    private const uint CloseOnExec = 1, AllowSealing = 2, HugePages = 4;
    private const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, CloseOnExecFile = 0x80000, NoControllingTerminal = 0x100;
    private const int KeepSize = 1, Punch = 2, SeekData = 3, SetFlags = 4, NonBlocking = 0x800;

    private const int PathOnly = 0x200000;

    // O_TMPFILE holds O_DIRECTORY, whose bit is not the same on all processors.
    private static readonly int TemporaryFile = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 0x410000 : 0x404000;

    // The other ends of lingering connections; few, and closed with the process.
    private static readonly ConcurrentBag<Socket> Unread = [];

    private static readonly Dictionary<string, Func<int>> Makers = new()
    {
        ["memory that is not sealed"] = () => Memory(0),
        ["memory that cannot grow"] = () => Memory(SealGrow),
        ["memory that cannot be written"] = () => Memory(SealShrink | SealWrite),
        ["memory that cannot be written any more"] = () => Memory(SealShrink | SealFutureWrite),
        ["memory of no size"] = () => Memory(SealShrink, 0),
        ["memory opened for reading"] = () => Reopen(Memory(SealShrink), ReadOnly),
        ["memory opened for writing"] = () => Reopen(Memory(SealShrink), WriteOnly),
        ["memory by its path alone"] = () => Reopen(Memory(SealShrink), PathOnly),
        ["huge pages"] = () => memfd_create("zoo", CloseOnExec | AllowSealing | HugePages),
        ["secret memory"] = () => (int)syscall(447, 0, 0),
        ["a file"] = () => Open("/proc/self/exe", ReadOnly),
        ["a file in memory"] = () => Open("/dev/shm", TemporaryFile | ReadWrite),
        ["a directory"] = () => Open("/", ReadOnly),
        ["a directory by its path alone"] = () => Open("/", PathOnly),
        ["/dev/zero"] = () => Open("/dev/zero", ReadWrite),
        ["/dev/null"] = () => Open("/dev/null", ReadWrite),
        ["/dev/udmabuf"] = () => Open("/dev/udmabuf", ReadWrite),
        ["/dev/ptmx"] = () => Open("/dev/ptmx", ReadWrite | NoControllingTerminal),
        ["this process's memory"] = () => Open("/proc/self/mem", ReadWrite),
        ["a process"] = () => (int)syscall(434, Environment.ProcessId, 0),
        ["a set of descriptors"] = () => epoll_create1(0),
        ["a timer"] = () => timerfd_create(1, 0),
        ["signals"] = Signals,
        ["changes of files"] = () => inotify_init1(0),
        ["the end of a pipe"] = Pipe,
        ["a socket"] = NewSocket,
        ["a socket that lingers"] = LingeringSocket,
    };

    /// <summary>What there is.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. Makers.Keys];

    /// <summary>Catches one; null where the system has none of this kind.</summary>
    public static FileDescriptor? Catch(string kind)
    {
        int number = Makers[kind]();
        return number < 0 ? null : new FileDescriptor(number);
    }

    /// <summary>Memory as a client should send it, of any size, made without touching a page of it.</summary>
    public static FileDescriptor SealedMemory(long bytes) => new(Memory(SealShrink, bytes));

    /// <summary>Whether any page of a file is there.</summary>
    public static bool HasPages(FileDescriptor file) => lseek(file.Number, 0, SeekData) >= 0;

    /// <summary>Takes the pages of a range away; they read as zeros.</summary>
    public static void PunchHole(FileDescriptor file, long offset, long bytes) =>
        Assert.Equal(0, fallocate(file.Number, KeepSize | Punch, offset, bytes));

    /// <summary>Tries to make a file shorter; returns whether that worked.</summary>
    public static bool TryShrink(FileDescriptor file) => ftruncate(file.Number, 0) == 0;

    /// <summary>Fills an eventfd's counter so that one more would not fit, and has writes wait until it does.</summary>
    public static void FillAndBlock(EventFd eventFd)
    {
        // Not while it waits: another may have signalled it since it was empty.
        Assert.Equal(0, fcntl(eventFd.File.Number, SetFlags, NonBlocking));
        _ = eventFd.TryConsume();
        ulong full = ulong.MaxValue - 1;
        _ = write(eventFd.File.Number, ref full, sizeof(ulong));
        Block(eventFd);
    }

    /// <summary>Has reads of an eventfd wait.</summary>
    public static void Block(EventFd eventFd) => Assert.Equal(0, fcntl(eventFd.File.Number, SetFlags, 0));

    private static int Memory(int seals, long bytes = 8192)
    {
        int number = memfd_create("zoo", CloseOnExec | AllowSealing);
        Assert.True(number >= 0 && ftruncate(number, bytes) == 0 && (seals == 0 || fcntl(number, Seals, seals) == 0));
        return number;
    }

    private static int Reopen(int number, int flags)
    {
        int again = Open($"/proc/self/fd/{number}", flags);
        _ = close(number);
        return again;
    }

    private static int Open(string path, int flags) => open(path, flags | CloseOnExecFile, 0x180);

    private static unsafe int Signals()
    {
        ulong none = 0;
        return signalfd(-1, &none, 0);
    }

    private static unsafe int Pipe()
    {
        int* ends = stackalloc int[2];
        Assert.Equal(0, pipe2(ends, CloseOnExecFile));
        _ = close(ends[0]);
        return ends[1];
    }

    private static int NewSocket()
    {
        int number = socket(1, 1, 0);
        Assert.True(number >= 0);
        return number;
    }

    /// <summary>A connection whose other end never reads what it was sent, and whose last holder waits for that when he closes it.</summary>
    private static int LingeringSocket()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        int number = socket(2, 1, 0);
        Assert.True(number >= 0);
        using var client = new Socket(new SafeSocketHandle(number, ownsHandle: false));
        client.Connect(listener.LocalEndPoint!);
        Unread.Add(listener.Accept());
        client.Blocking = false;
        byte[] data = new byte[1 << 16];
        while (client.Send(data, SocketFlags.None, out SocketError error) > 0 && error == SocketError.Success)
        {
        }

        client.LingerState = new LingerOption(true, 3600);
        return number;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int file, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int file, int mode, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int file, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int file, int command, int argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int file);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int timerfd_create(int clock, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int signalfd(int file, ulong* mask, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int pipe2(int* ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int file, ref ulong value, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint first, nint second);
}
