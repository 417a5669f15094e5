using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <content>Files of devices: <see cref="KernelDeviceCalls"/>.</content>
internal static unsafe partial class Libc
{
    public const int O_RDWR = 2;

    // Variadic in C; a pointer or a number travels in the same register either way on Linux x86-64 and arm64.
    [LibraryImport(C, SetLastError = true)]
    public static partial int ioctl(int fd, nuint request, void* argument);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint pread(int fd, void* buffer, nuint count, long offset);

    [LibraryImport(C, SetLastError = true)]
    public static partial nint pwrite(int fd, void* buffer, nuint count, long offset);
}
