using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace WarpDrive.OpenSsl.Native;

/// <summary>Declarations of OpenSSL 3's libcrypto, one file per group, named as in its manual pages. Nothing here decides anything.</summary>
internal static unsafe partial class Libcrypto
{
    private const string C = "libcrypto.so.3";

    // .NET has to initialise libcrypto, with its own options, before any call of ours does it with the defaults.
    static Libcrypto()
    {
        _ = SHA256.HashData([]);
    }

    /// <summary>Two copies of libcrypto in one process would read each other's keys with the wrong layout: refuse that early.</summary>
    /// <exception cref="OpenSslException">.NET uses another libcrypto than these declarations.</exception>
    public static void RequireSameAsRuntime()
    {
        long ours = (long)OpenSSL_version_num();
        long runtimes = SafeEvpPKeyHandle.OpenSslVersion;
        if (ours != runtimes)
        {
            throw new OpenSslException(
                OpenSslError.Failed, $".NET uses OpenSSL 0x{runtimes:x}, but {C} is 0x{ours:x}; they must be the same library.");
        }
    }

    [LibraryImport(C)]
    private static partial nuint OpenSSL_version_num();
}
