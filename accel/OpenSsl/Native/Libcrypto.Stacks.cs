using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>OPENSSL_STACK: lists of pointers.</content>
internal static unsafe partial class Libcrypto
{
    [LibraryImport(C)]
    public static partial nint OPENSSL_sk_new_null();

    // How many there are then; 0 without memory. The stack refers to it.
    [LibraryImport(C)]
    public static partial int OPENSSL_sk_push(nint stack, nint element);

    // -1 for null.
    [LibraryImport(C)]
    public static partial int OPENSSL_sk_num(nint stack);

    // Belongs to the stack.
    [LibraryImport(C)]
    public static partial nint OPENSSL_sk_value(nint stack, int index);

    // Not what it refers to.
    [LibraryImport(C)]
    public static partial void OPENSSL_sk_free(nint stack);
}
