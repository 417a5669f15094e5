using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Padding;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>One decryption of a TLS premaster: key and versions as OpenSSL sets them. Used again after it is freed; one thread at a time.</summary>
internal sealed unsafe class TlsDecryptionContext : IDisposable
{
    private const int PaddingTls = 7;   // RSA_PKCS1_WITH_TLS_PADDING
    private const int MaxIdle = 256;   // the most lanes there may be

    private static readonly IdlePool<TlsDecryptionContext> Idle = new(MaxIdle);

    private readonly nint _handle;
    private ProviderKey? _key;
    private int _padding;
    private int _clientVersion;
    private int _negotiatedVersion;

    private TlsDecryptionContext()
    {
        _handle = ProviderHandle.Create(this);
    }

    /// <summary>Hands a fresh context out.</summary>
    public static nint Open()
    {
        TlsDecryptionContext context = Idle.Take() ?? new TlsDecryptionContext();
        ProviderHandle.CountGiven();
        return context._handle;
    }

    public static TlsDecryptionContext Get(nint handle) => ProviderHandle.Get<TlsDecryptionContext>(handle);

    /// <summary>Takes a context back.</summary>
    public void Close()
    {
        _key = null;
        _padding = _clientVersion = _negotiatedVersion = 0;
        ProviderHandle.CountTakenBack();
        Idle.Give(this);
    }

    public bool TryBegin(nint key, OsslParam* parameters)
    {
        if (key != 0)
        {
            _key = ProviderHandle.Get<ProviderKey>(key);
        }

        return _key?.Private is not null && TrySet(parameters);
    }

    /// <summary>Takes parameters. Any padding but TLS's is refused: what tells right from wrong padding apart is an oracle.</summary>
    public bool TrySet(OsslParam* parameters)
    {
        for (; parameters is not null && parameters->Key is not null; parameters++)
        {
            if (parameters->Is("pad-mode"u8) && !(parameters->TryGetInteger(out _padding) && _padding == PaddingTls))
            {
                _padding = 0;
                return false;
            }

            if (parameters->Is("tls-client-version"u8) && !parameters->TryGetInteger(out _clientVersion))
            {
                return false;
            }

            if (parameters->Is("tls-negotiated-version"u8) && !parameters->TryGetInteger(out _negotiatedVersion))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Writes the premaster, or a random one; see <see cref="TlsPremaster"/>. The decryption is blinded: see <see cref="OffloadedRsaKey.Decrypt"/>.</summary>
    /// <returns>False for what everybody can see: a ciphertext of wrong size or not below the modulus, or a context not set up.</returns>
    [SkipLocalsInit]
    public bool TryDecrypt(ReadOnlySpan<byte> ciphertext, Span<byte> premaster)
    {
        if (_key?.Private is not OffloadedRsaKey key
            || _padding != PaddingTls
            || _clientVersion is <= 0 or > ushort.MaxValue
            || key.ModulusBytes < TlsPremaster.MinModulusBytes
            || !key.IsBelowModulus(ciphertext))
        {
            return false;
        }

        Span<byte> decrypted = stackalloc byte[SoftwareRsaKey.MaxModulusBits / 8];
        decrypted = decrypted[..key.ModulusBytes];
        Span<byte> random = stackalloc byte[TlsPremaster.SizeInBytes];
        try
        {
            // Before the operation, and whether needed or not.
            RandomNumberGenerator.Fill(random);
            key.Decrypt(ciphertext, decrypted);
            TlsPremaster.Remove(decrypted, random, _clientVersion, _negotiatedVersion, premaster);
            return true;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(decrypted);
            CryptographicOperations.ZeroMemory(random);
        }
    }

    public void Dispose() => ProviderHandle.Free(_handle);
}
