using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>The end of the process.</summary>
internal static unsafe partial class Libc
{
    [DoesNotReturn]
    [LibraryImport(C, EntryPoint = "_exit")]
    public static partial void ExitNow(int status);
}
