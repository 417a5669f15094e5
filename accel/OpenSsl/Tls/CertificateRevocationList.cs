using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>A list of certificates that their authority has revoked (CRL, RFC 5280 5). Immutable.</summary>
public sealed unsafe class CertificateRevocationList
{
    private readonly byte[] _der;

    private CertificateRevocationList(byte[] der, string issuer, DateTimeOffset thisUpdate, DateTimeOffset? nextUpdate)
    {
        _der = der;
        Issuer = issuer;
        ThisUpdate = thisUpdate;
        NextUpdate = nextUpdate;
    }

    /// <summary>The authority, for people: <c>CN=Clients</c>.</summary>
    public string Issuer { get; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>When the next one comes at the latest; from then on OpenSSL refuses every certificate of the authority. Null when it does not say.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>Reads one list.</summary>
    /// <exception cref="OpenSslException">It is damaged.</exception>
    public static CertificateRevocationList Parse(ReadOnlySpan<byte> der)
    {
        Libcrypto.ERR_clear_error();
        nint list = Decode(der);
        try
        {
            DateTimeOffset from = Asn1Time.Read(Libcrypto.X509_CRL_get0_lastUpdate(list)) ?? DateTimeOffset.MinValue;
            return new(der.ToArray(), ReadName(Libcrypto.X509_CRL_get_issuer(list)), from, Asn1Time.Read(Libcrypto.X509_CRL_get0_nextUpdate(list)));
        }
        finally
        {
            Libcrypto.X509_CRL_free(list);
            Libcrypto.ERR_clear_error();
        }
    }

    /// <summary>A new X509_CRL, which the caller frees.</summary>
    internal nint Decode() => Decode(_der);

    private static nint Decode(ReadOnlySpan<byte> der)
    {
        fixed (byte* bytes = der)
        {
            byte* next = bytes;
            nint list = Libcrypto.d2i_X509_CRL(null, &next, der.Length);
            return list != 0
                ? list
                : throw new OpenSslException(OpenSslError.Failed, $"OpenSSL cannot read the revocation list: {Libcrypto.TakeErrors()}.");
        }
    }

    private static string ReadName(nint name)
    {
        byte[] encoded = new byte[Math.Max(Libcrypto.i2d_X509_NAME(name, null), 0)];
        fixed (byte* bytes = encoded)
        {
            byte* next = bytes;
            _ = Libcrypto.i2d_X509_NAME(name, &next);
        }

        return new X500DistinguishedName(encoded).Name;
    }
}
