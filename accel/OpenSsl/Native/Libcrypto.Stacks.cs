using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>OPENSSL_STACK: lists of pointers.</content>
internal static unsafe partial class Libcrypto
{
    // -1 for null.
    [LibraryImport(C)]
    public static partial int OPENSSL_sk_num(nint stack);

    [LibraryImport(C)]
    public static partial nint OPENSSL_sk_value(nint stack, int index);
}
