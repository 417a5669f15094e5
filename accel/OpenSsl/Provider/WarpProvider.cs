using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>
/// The OpenSSL provider "warpdrive": RSA keys whose private-key operations are an <see cref="OffloadedRsaKey"/>'s.
/// </summary>
/// <remarks>
/// It lives in a library context of its own, beside a "default" provider. Queries for "RSA" in the process's own context, which .NET
/// uses, can then never find it; in one context with "default" the winner would be whichever was registered first. And the context
/// outlives the exit handler of libcrypto, which frees the process's context when managed code may no longer run. Operations have a name
/// that only this provider knows, so that a TLS server in this context finds them at the first look, and never tries whether "default" takes the
/// key. SslStream on OpenSSL 3.0.19, which looks in the process's context, finds them at the second look.
/// </remarks>
internal static unsafe class WarpProvider
{
    public const string Name = "warpdrive";

    /// <summary>The import parameter that carries an entry of the table of keys on their way into the provider.</summary>
    public static ReadOnlySpan<byte> IdParameter => "warpdrive-id"u8;

    // RSA's own names have OpenSSL take the key for what it is.
    private const string KeyNames = "RSA:rsaEncryption:1.2.840.113549.1.1.1";
    private const string OperationNames = "WARPDRIVE-RSA";
    private const string Properties = "provider=" + Name;
    private const int OperationKeyManagement = 10;
    private const int OperationSignature = 12;
    private const int OperationAsymmetricCipher = 13;

    private static readonly OsslAlgorithm* KeyManagementTable =
        OsslAlgorithm.CreateTable(KeyNames, Properties, KeyManagement.CreateTable());

    private static readonly OsslAlgorithm* SignatureTable =
        OsslAlgorithm.CreateTable(OperationNames, Properties, SignatureAlgorithm.CreateTable());

    private static readonly OsslAlgorithm* TlsDecryptionTable =
        OsslAlgorithm.CreateTable(OperationNames, Properties, TlsDecryption.CreateTable());

    private static readonly OsslDispatch* ProviderTable = OsslDispatch.CreateTable(
        (1024, (nint)(delegate* unmanaged<nint, void>)&Teardown),
        (1027, (nint)(delegate* unmanaged<nint, int, int*, OsslAlgorithm*>)&QueryOperation));

    private static readonly Lazy<nint> LibraryContext = new(Load);
    private static readonly ConcurrentDictionary<ulong, OffloadedRsaKey> KeysToImport = new();
    private static ulong _lastId;

    /// <summary>The name of the operations, as C has it.</summary>
    public static byte* OperationName { get; } = (byte*)Marshal.StringToCoTaskMemUTF8(OperationNames);

    /// <summary>The library context that the provider lives in, never freed.</summary>
    /// <exception cref="OpenSslException">It cannot be made.</exception>
    public static nint Library => LibraryContext.Value;

    /// <summary>A new EVP_PKEY of this provider, which holds the key until it is freed.</summary>
    /// <exception cref="OpenSslException">OpenSSL refused it.</exception>
    public static SafeEvpPKeyHandle CreateKey(OffloadedRsaKey key)
    {
        nint context = Libcrypto.EVP_PKEY_CTX_new_from_name(Library, "RSA", Properties);
        ulong id = Interlocked.Increment(ref _lastId);
        byte[] modulus = Reversed(key.Modulus);
        byte[] exponent = Reversed(key.Exponent);
        nint created = 0;
        KeysToImport[id] = key;
        try
        {
            fixed (byte* modulusName = "n\0"u8, exponentName = "e\0"u8, idName = "warpdrive-id\0"u8, n = modulus, e = exponent)
            {
                OsslParam* parameters = stackalloc OsslParam[4];
                parameters[0] = Unsigned(modulusName, n, modulus.Length);
                parameters[1] = Unsigned(exponentName, e, exponent.Length);
                parameters[2] = Unsigned(idName, &id, sizeof(ulong));
                parameters[3] = default;
                if (context == 0
                    || Libcrypto.EVP_PKEY_fromdata_init(context) != 1
                    || Libcrypto.EVP_PKEY_fromdata(context, &created, Libcrypto.EVP_PKEY_KEYPAIR, parameters) != 1)
                {
                    throw new OpenSslException(
                        OpenSslError.Failed, $"OpenSSL did not take a key into the provider {Name}: {Libcrypto.TakeErrors()}.");
                }
            }
        }
        finally
        {
            KeysToImport.TryRemove(id, out _);
            Libcrypto.EVP_PKEY_CTX_free(context);
        }

        return new SafeEvpPKeyHandle(created, ownsHandle: true);
    }

    /// <summary>The key on its way into the provider under this id.</summary>
    public static OffloadedRsaKey? FindKeyToImport(ulong id) => KeysToImport.GetValueOrDefault(id);

    private static nint Load()
    {
        nint library = Libcrypto.OSSL_LIB_CTX_new();

        // "default" has to be here as well: it encodes our public keys, and loading any provider ends its loading by itself.
        if (library == 0
            || Libcrypto.OSSL_PROVIDER_load(library, "default") == 0
            || Libcrypto.OSSL_PROVIDER_add_builtin(library, Name, &Initialise) != 1
            || Libcrypto.OSSL_PROVIDER_load(library, Name) == 0)
        {
            throw new OpenSslException(OpenSslError.Failed, $"OpenSSL did not load the provider {Name}: {Libcrypto.TakeErrors()}.");
        }

        return library;
    }

    private static OsslParam Unsigned(byte* name, void* value, int size) => new()
    {
        Key = name,
        Type = OsslParam.UnsignedInteger,
        Data = value,
        DataSize = (nuint)size,
    };

    private static byte[] Reversed(ReadOnlyMemory<byte> number)
    {
        byte[] reversed = number.ToArray();
        Array.Reverse(reversed);
        return reversed;
    }

    [UnmanagedCallersOnly]
    private static int Initialise(nint core, OsslDispatch* coreFunctions, OsslDispatch** functions, nint* providerContext)
    {
        *functions = ProviderTable;
        *providerContext = core;
        return 1;
    }

    [UnmanagedCallersOnly]
    private static void Teardown(nint providerContext)
    {
    }

    [UnmanagedCallersOnly]
    private static OsslAlgorithm* QueryOperation(nint providerContext, int operation, int* noCache)
    {
        *noCache = 0;
        return operation switch
        {
            OperationKeyManagement => KeyManagementTable,
            OperationSignature => SignatureTable,
            OperationAsymmetricCipher => TlsDecryptionTable,
            _ => null,
        };
    }
}
