using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>BIO_METHOD: a BIO of our own.</content>
internal static unsafe partial class Libcrypto
{
    public const int BIO_CTRL_FLUSH = 11;
    public const int BIO_FLAGS_READ = 1;
    public const int BIO_FLAGS_SHOULD_RETRY = 8;
    public const int BIO_TYPE_SOURCE_SINK = 0x400;

    // A number of our own, to be combined with what kind of BIO it is.
    [LibraryImport(C)]
    public static partial int BIO_get_new_index();

    // Keeps the name as it is given.
    [LibraryImport(C)]
    public static partial nint BIO_meth_new(int type, byte* name);

    // The callback answers 1 and how many bytes it read, or 0.
    [LibraryImport(C)]
    public static partial int BIO_meth_set_read_ex(nint method, delegate* unmanaged<nint, byte*, nuint, nuint*, int> callback);

    [LibraryImport(C)]
    public static partial int BIO_meth_set_write_ex(nint method, delegate* unmanaged<nint, byte*, nuint, nuint*, int> callback);

    [LibraryImport(C)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged<nint, int, nint, void*, nint> callback);

    // The method must outlive every BIO made of it.
    [LibraryImport(C)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(C)]
    [SuppressGCTransition]
    public static partial void BIO_set_flags(nint bio, int flags);
}
