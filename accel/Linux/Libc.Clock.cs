using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <content>clock_gettime(2).</content>
internal static unsafe partial class Libc
{
    public const int CLOCK_THREAD_CPUTIME_ID = 3;

    [LibraryImport(C, SetLastError = true)]
    public static partial int clock_gettime(int clock, Timespec* time);

    /// <summary>struct timespec of 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
