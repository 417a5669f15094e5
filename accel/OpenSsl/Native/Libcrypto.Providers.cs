using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>OSSL_LIB_CTX and OSSL_PROVIDER: library contexts, and the providers in them.</content>
internal static unsafe partial class Libcrypto
{
    [LibraryImport(C)]
    public static partial nint OSSL_LIB_CTX_new();

    [LibraryImport(C, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OSSL_PROVIDER_add_builtin(
        nint library, string name, delegate* unmanaged<nint, OsslDispatch*, OsslDispatch**, nint*, int> initialise);

    [LibraryImport(C, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint OSSL_PROVIDER_load(nint library, string name);

    [LibraryImport(C)]
    public static partial byte* OSSL_PROVIDER_get0_name(nint provider);
}
