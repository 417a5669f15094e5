using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

// Asynchronous I/O of the kernel (linux/aio_abi.h), and reads that never wait.
internal static unsafe partial class Libc
{
    public const ushort IOCB_CMD_PREAD = 0;
    public const uint IOCB_FLAG_RESFD = 1;
    public const int RWF_NOWAIT = 8;
    public const int O_RDONLY = 0;
    public const int O_CLOEXEC = 0x80000;

    // No library wraps these. Variadic in C; these arguments travel in the same registers either way on Linux x86-64 and arm64.
    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint io_setup(nint number, nint capacity, nint* context);

    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint io_submit(nint number, nint context, nint count, IoControlBlock** requests);

    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint io_getevents(nint number, nint context, nint least, nint most, IoEvent* events, TimeSpec* timeout);

    [LibraryImport(C, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags);

    // An offset of -1 is the file's own position, which an eventfd does not have either.
    [LibraryImport(C, SetLastError = true)]
    public static partial nint preadv2(int fd, IoVec* vectors, int count, long offset, int flags);

    /// <summary>struct iocb on a little-endian machine, 64 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct IoControlBlock
    {
        [FieldOffset(16)] public ushort OperationCode;
        [FieldOffset(20)] public uint FileDescriptor;
        [FieldOffset(24)] public ulong Buffer;
        [FieldOffset(32)] public ulong Length;
        [FieldOffset(56)] public uint Flags;
        [FieldOffset(60)] public uint ResultDescriptor;
    }

    /// <summary>struct io_event.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IoEvent
    {
        public ulong Data;
        public ulong Request;
        public long Result;
        public long Result2;
    }
}
