using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>BN: big numbers.</content>
internal static unsafe partial class Libcrypto
{
    [LibraryImport(C)]
    public static partial int BN_num_bits(nint number);

    // Big-endian, left-padded with zeros, in constant time. Returns -1 when the number needs more bytes than length.
    [LibraryImport(C)]
    public static partial int BN_bn2binpad(nint number, byte* output, int length);

    // Zeroes the number before its memory is returned. Accepts null.
    [LibraryImport(C)]
    public static partial void BN_clear_free(nint number);
}
