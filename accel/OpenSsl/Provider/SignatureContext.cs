using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Padding;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>One signature in the making: key, padding and digest as OpenSSL sets them. Used again after it is freed; one thread at a time.</summary>
internal sealed unsafe class SignatureContext : IDisposable
{
    private const int PaddingPkcs1 = 1;
    private const int PaddingPss = 6;
    private const int SaltAsDigest = -1;
    private const int SaltAuto = -2;
    private const int SaltMax = -3;
    private const int MaxIdle = 256;   // the most lanes there may be

    private static readonly IdlePool<SignatureContext> Idle = new(MaxIdle);

    private readonly nint _handle;
    private ProviderKey? _key;
    private int _padding;
    private int _saltBytes;
    private Digest? _digest;
    private Digest? _maskDigest;

    private SignatureContext()
    {
        _handle = ProviderHandle.Create(this);
        Forget();
    }

    /// <summary>Bytes of a signature; 0 before the key is known.</summary>
    public int SignatureBytes => _key?.Private?.ModulusBytes ?? 0;

    /// <summary>Hands a fresh context out.</summary>
    public static nint Open()
    {
        SignatureContext context = Idle.Take() ?? new SignatureContext();
        ProviderHandle.CountGiven();
        return context._handle;
    }

    public static SignatureContext Get(nint handle) => ProviderHandle.Get<SignatureContext>(handle);

    /// <summary>Takes a context back.</summary>
    public void Close()
    {
        Forget();
        ProviderHandle.CountTakenBack();
        Idle.Give(this);
    }

    /// <summary>Begins a signature. Without a key the one before is meant.</summary>
    public bool TryBegin(nint key, OsslParam* parameters)
    {
        if (key != 0)
        {
            _key = ProviderHandle.Get<ProviderKey>(key);
        }

        return _key?.Private is not null && TrySet(parameters);
    }

    public bool TrySetDigest(ReadOnlySpan<byte> name)
    {
        _digest = Digest.Find(name);
        return _digest is not null;
    }

    /// <summary>Takes parameters; those not known are ignored, values not known are refused.</summary>
    public bool TrySet(OsslParam* parameters)
    {
        for (; parameters is not null && parameters->Key is not null; parameters++)
        {
            bool isTaken = true;
            if (parameters->Is("pad-mode"u8))
            {
                isTaken = TrySetPadding(*parameters);
            }
            else if (parameters->Is("saltlen"u8))
            {
                isTaken = TrySetSalt(*parameters);
            }
            else if (parameters->Is("digest"u8))
            {
                isTaken = TrySetDigest(parameters->GetText());
            }
            else if (parameters->Is("mgf1-digest"u8))
            {
                Digest? maskDigest = Digest.Find(parameters->GetText());
                isTaken = maskDigest is not null;
                _maskDigest = maskDigest ?? _maskDigest;
            }

            if (!isTaken)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Hashes and signs a whole message.</summary>
    [SkipLocalsInit]
    public bool TrySignMessage(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        if (_digest is null)
        {
            return false;
        }

        Span<byte> hash = stackalloc byte[Digest.MaxSizeInBytes];
        hash = hash[.._digest.SizeInBytes];
        _digest.Hash(message, hash);
        return TrySignHash(hash, signature);
    }

    /// <summary>Signs a hash. The signature is modulus-sized.</summary>
    [SkipLocalsInit]
    public bool TrySignHash(ReadOnlySpan<byte> hash, Span<byte> signature)
    {
        if (_key?.Private is not OffloadedRsaKey key || _digest is null || signature.Length != key.ModulusBytes)
        {
            return false;
        }

        Span<byte> encoded = stackalloc byte[SoftwareRsaKey.MaxModulusBits / 8];
        encoded = encoded[..key.ModulusBytes];
        bool isEncoded = _padding == PaddingPss
            ? TryEncodePss(key, _digest, hash, encoded)
            : Pkcs1Encoding.TryEncode(_digest, hash, encoded);
        if (!isEncoded)
        {
            return false;
        }

        key.Private(encoded, signature, _padding == PaddingPss ? RsaUse.PssSignature : RsaUse.Pkcs1Signature);
        return true;
    }

    public void Dispose() => ProviderHandle.Free(_handle);

    private void Forget()
    {
        _key = null;
        _padding = PaddingPkcs1;
        _saltBytes = SaltAuto;
        _digest = null;
        _maskDigest = null;
    }

    // A refused value leaves the one before: whoever goes on after a refusal does not sign with something else.
    private bool TrySetPadding(in OsslParam parameter)
    {
        if (!parameter.TryGetInteger(out int padding))
        {
            ReadOnlySpan<byte> text = parameter.GetText();
            padding = text.SequenceEqual("pss"u8) ? PaddingPss : text.SequenceEqual("pkcs1"u8) ? PaddingPkcs1 : 0;
        }

        bool isValid = padding is PaddingPkcs1 or PaddingPss;
        _padding = isValid ? padding : _padding;
        return isValid;
    }

    private bool TrySetSalt(in OsslParam parameter)
    {
        if (!parameter.TryGetInteger(out int saltBytes))
        {
            ReadOnlySpan<byte> text = parameter.GetText();
            saltBytes = text.SequenceEqual("digest"u8) ? SaltAsDigest
                : text.SequenceEqual("max"u8) ? SaltMax
                : text.SequenceEqual("auto"u8) ? SaltAuto
                : int.MinValue;
        }

        bool isValid = saltBytes >= SaltMax;
        _saltBytes = isValid ? saltBytes : _saltBytes;
        return isValid;
    }

    [SkipLocalsInit]
    private bool TryEncodePss(OffloadedRsaKey key, Digest digest, ReadOnlySpan<byte> hash, Span<byte> encoded)
    {
        // RFC 8017 has no PSS with the pair; it has no identifier.
        if (digest == Digest.Md5Sha1 || _maskDigest == Digest.Md5Sha1)
        {
            return false;
        }

        // "auto" is the longest salt when signing, as in OpenSSL 3.0.
        int max = PssEncoding.MaxSaltBytes(digest, key.ModulusBits);
        int saltBytes = _saltBytes switch
        {
            SaltAsDigest => digest.SizeInBytes,
            SaltAuto or SaltMax => max,
            _ => _saltBytes,
        };
        if (max < 0 || saltBytes > max)
        {
            return false;
        }

        Span<byte> salt = stackalloc byte[SoftwareRsaKey.MaxModulusBits / 8];
        salt = salt[..saltBytes];
        RandomNumberGenerator.Fill(salt);
        return PssEncoding.TryEncode(digest, _maskDigest ?? digest, hash, salt, key.ModulusBits, encoded);
    }
}
