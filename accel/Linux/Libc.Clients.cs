using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

// Calls that the device makes for memory and sockets of its clients.
internal static unsafe partial class Libc
{
    public const uint MLOCK_ONFAULT = 1;

    [LibraryImport(C, SetLastError = true)]
    public static partial int mlock2(void* address, nuint length, uint flags);

    [LibraryImport(C, SetLastError = true)]
    public static partial int shutdown(int fd, int how);
}
