using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// What a certificate authority says of one certificate (RFC 6960), read and checked once, so that connections only hand it over.
/// Immutable.
/// </summary>
public sealed unsafe class OcspResponse
{
    /// <summary>How far clocks may differ: a response is good that much before its first moment.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private readonly byte[] _der;

    private OcspResponse(byte[] der, OcspCertificateStatus status, DateTimeOffset thisUpdate, DateTimeOffset? nextUpdate, bool isVerified)
    {
        _der = der;
        Status = status;
        ThisUpdate = thisUpdate;
        NextUpdate = nextUpdate;
        IsVerified = isVerified;
    }

    /// <summary>What it says.</summary>
    public OcspCertificateStatus Status { get; }

    /// <summary>When that was known to be so.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>When there will be news at the latest, so that clients take this no longer; null when it does not say.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>Whether its signature was checked, for which the issuer's certificate is needed.</summary>
    public bool IsVerified { get; }

    /// <summary>The response as it goes over the wire.</summary>
    internal ReadOnlySpan<byte> Der => _der;

    /// <summary>Reads a response and checks that it is about a certificate and, when the issuer is known, signed by it or in its name.</summary>
    /// <param name="der">The whole response, nothing after it.</param>
    /// <param name="certificate">What it must be about.</param>
    /// <param name="issuer">Who issued the certificate; null when it is not known.</param>
    /// <exception cref="OpenSslException">It is damaged, of something else, says nothing of the certificate or that it is unknown.</exception>
    public static OcspResponse Parse(ReadOnlySpan<byte> der, X509Certificate2 certificate, X509Certificate2? issuer)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        Libcrypto.ERR_clear_error();
        nint response = 0;
        nint basic = 0;
        using var subject = new X509Handle(certificate);
        using X509Handle? authority = issuer is null ? null : new X509Handle(issuer);
        try
        {
            response = Decode(der);
            int status = Libcrypto.OCSP_response_status(response);
            if (status != Libcrypto.OCSP_RESPONSE_STATUS_SUCCESSFUL)
            {
                throw Refusal($"it is the responder's error '{Marshal.PtrToStringUTF8((nint)Libcrypto.OCSP_response_status_str(status))}'");
            }

            basic = Libcrypto.OCSP_response_get1_basic(response);
            nint single = basic != 0 ? Find(basic, subject, authority) : throw Refusal("it has no basic response, or a damaged one");
            if (authority is not null)
            {
                Verify(basic, authority);
            }

            return Create(der, single, authority is not null);
        }
        finally
        {
            Libcrypto.OCSP_BASICRESP_free(basic);
            Libcrypto.OCSP_RESPONSE_free(response);
            Libcrypto.ERR_clear_error();
        }
    }

    /// <summary>Whether clients would take it.</summary>
    public bool IsCurrent(DateTimeOffset now) => ThisUpdate <= now + ClockSkew && !IsExpired(now);

    /// <summary>Whether its time is over.</summary>
    public bool IsExpired(DateTimeOffset now) => now >= NextUpdate;

    private static nint Decode(ReadOnlySpan<byte> der)
    {
        fixed (byte* bytes = der)
        {
            byte* next = bytes;
            nint response = Libcrypto.d2i_OCSP_RESPONSE(null, &next, der.Length);
            if (response != 0 && next == bytes + der.Length)
            {
                return response;
            }

            Libcrypto.OCSP_RESPONSE_free(response);
            throw Refusal(response == 0 ? "it is not an OCSP response in DER" : $"{bytes + der.Length - next} bytes follow the OCSP response");
        }
    }

    /// <summary>The single response that is about the certificate.</summary>
    private static nint Find(nint basic, X509Handle subject, X509Handle? authority)
    {
        int count = Libcrypto.OCSP_resp_count(basic);
        for (int i = 0; i < count; i++)
        {
            nint single = Libcrypto.OCSP_resp_get0(basic, i);
            if (IsAbout(Libcrypto.OCSP_SINGLERESP_get0_id(single), subject, authority))
            {
                return single;
            }
        }

        throw Refusal("it is about another certificate");
    }

    /// <summary>Compares serial number and hash of the issuer's name, and the hash of the issuer's key when that is known (RFC 6960 4.1.1).</summary>
    private static bool IsAbout(nint id, X509Handle subject, X509Handle? authority)
    {
        nint nameHash, digestName, keyHash, serial;
        nint digest = Libcrypto.OCSP_id_get0_info(&nameHash, &digestName, &keyHash, &serial, id) == 1
            ? Libcrypto.EVP_get_digestbyname(Libcrypto.OBJ_nid2sn(Libcrypto.OBJ_obj2nid(digestName)))
            : 0;
        if (digest == 0)
        {
            return false;
        }

        if (authority is not null)
        {
            nint expected = Libcrypto.OCSP_cert_to_id(digest, subject.Pointer, authority.Pointer);
            bool isEqual = expected != 0 && Libcrypto.OCSP_id_cmp(expected, id) == 0;
            Libcrypto.OCSP_CERTID_free(expected);
            return isEqual;
        }

        byte* hash = stackalloc byte[64];   // EVP_MAX_MD_SIZE
        uint length;
        return Libcrypto.X509_NAME_digest(Libcrypto.X509_get_issuer_name(subject.Pointer), digest, hash, &length) == 1
            && new ReadOnlySpan<byte>(hash, (int)length).SequenceEqual(
                new ReadOnlySpan<byte>(Libcrypto.ASN1_STRING_get0_data(nameHash), Libcrypto.ASN1_STRING_length(nameHash)))
            && Libcrypto.ASN1_INTEGER_cmp(serial, Libcrypto.X509_get0_serialNumber(subject.Pointer)) == 0;
    }

    /// <summary>The signature of the issuer, or of a responder that the issuer has named (RFC 6960 4.2.2.2).</summary>
    private static void Verify(nint basic, X509Handle authority)
    {
        using var store = new X509StoreHandle();
        nint signers = Libcrypto.OPENSSL_sk_new_null();
        try
        {
            // When the response is too old, that is said as such; the responder's certificate may have ended before.
            bool isVerified = Libcrypto.X509_STORE_add_cert(store, authority.Pointer) == 1
                && Libcrypto.X509_STORE_set_flags(store, Libcrypto.X509_V_FLAG_PARTIAL_CHAIN | Libcrypto.X509_V_FLAG_NO_CHECK_TIME) == 1
                && Libcrypto.OPENSSL_sk_push(signers, authority.Pointer) > 0
                && Libcrypto.OCSP_basic_verify(basic, signers, store, 0) == 1;
            if (!isVerified)
            {
                throw Refusal($"its signature is not of the certificate's issuer, nor of a responder that the issuer has named ({Libcrypto.TakeErrors()})");
            }
        }
        finally
        {
            Libcrypto.OPENSSL_sk_free(signers);
        }
    }

    private static OcspResponse Create(ReadOnlySpan<byte> der, nint single, bool isVerified)
    {
        int reason;
        nint revoked, thisUpdate, nextUpdate;
        OcspCertificateStatus status = Libcrypto.OCSP_single_get0_status(single, &reason, &revoked, &thisUpdate, &nextUpdate) switch
        {
            Libcrypto.V_OCSP_CERTSTATUS_GOOD => OcspCertificateStatus.Good,
            Libcrypto.V_OCSP_CERTSTATUS_REVOKED => OcspCertificateStatus.Revoked,
            _ => throw Refusal("it says that the responder does not know the certificate"),
        };
        DateTimeOffset from = Asn1Time.Read(thisUpdate) ?? throw Refusal("it does not say since when it is valid");
        return new OcspResponse(der.ToArray(), status, from, Asn1Time.Read(nextUpdate), isVerified);
    }

    private static OpenSslException Refusal(string reason) => new(OpenSslError.UnusableOcspResponse, $"{char.ToUpperInvariant(reason[0])}{reason[1..]}.");
}
