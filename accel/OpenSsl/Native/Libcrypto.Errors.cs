using System.Runtime.InteropServices;
using System.Text;

namespace WarpDrive.OpenSsl.Native;

/// <content>ERR: the queue of errors that each thread has.</content>
internal static unsafe partial class Libcrypto
{
    // err.h: a code is flags and reason in 23 bits, the library above them.
    private const int LibraryShift = 23;
    private const uint LibraryEvp = 6;
    private const int LibraryProvider = 57;
    private const int ReasonMask = 0x7FFFFF;
    private const int ReasonUnsupported = 0x80000 | 268;
    private const int ReasonInternalError = 0x80000 | 0x40000 | 259;

    [LibraryImport(C)]
    public static partial int ERR_set_mark();

    [LibraryImport(C)]
    public static partial int ERR_pop_to_mark();

    [LibraryImport(C)]
    public static partial void ERR_clear_error();

    /// <summary>Empties the queue into one line: the errors, oldest first.</summary>
    public static string TakeErrors() => TakeErrors(out _);

    /// <inheritdoc cref="TakeErrors()"/>
    /// <param name="isUnsupportedAlgorithm">Whether one of them says that no loaded provider has an algorithm.</param>
    public static string TakeErrors(out bool isUnsupportedAlgorithm)
    {
        isUnsupportedAlgorithm = false;
        StringBuilder line = new();
        byte* text = stackalloc byte[256];
        nuint code;
        while ((code = ERR_get_error()) != 0)
        {
            isUnsupportedAlgorithm |= (uint)code >> LibraryShift == LibraryEvp && ((int)code & ReasonMask) == ReasonUnsupported;
            ERR_error_string_n(code, text, 256);
            line.Append(line.Length == 0 ? "" : "; ").Append(Marshal.PtrToStringUTF8((nint)text));
        }

        return line.Length == 0 ? "no reason given" : line.ToString();
    }

    /// <summary>Adds an error to the queue, where the caller of a provider looks for the reason of a failure.</summary>
    public static void RaiseError(string message)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(message);
        fixed (byte* format = "%s\0"u8)
        {
            ERR_new();
            ERR_set_error(LibraryProvider, ReasonInternalError, format, (byte*)text);
        }

        Marshal.FreeCoTaskMem(text);
    }

    [LibraryImport(C)]
    private static partial nuint ERR_get_error();

    [LibraryImport(C)]
    private static partial void ERR_error_string_n(nuint code, byte* text, nuint size);

    [LibraryImport(C)]
    private static partial void ERR_new();

    // Variadic in C; a pointer travels in the same register either way on Linux x86-64 and arm64.
    [LibraryImport(C)]
    private static partial void ERR_set_error(int library, int reason, byte* format, byte* argument);
}
