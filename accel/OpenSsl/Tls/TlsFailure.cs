using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>Why a connection failed, as a value: equal failures are equal, so that they can be counted.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Code">A number whose meaning the kind says.</param>
public readonly record struct TlsFailure(TlsFailureKind Kind, int Code)
{
    /// <summary>Whether, and why, it was the peer's certificate that was refused. Numbers: OpenSSL's x509_vfy.h.</summary>
    public TlsCertificateRefusal CertificateRefusal => (Kind, Code) switch
    {
        (TlsFailureKind.NoCertificate, _) => TlsCertificateRefusal.NotGiven,
        (not TlsFailureKind.Verification, _) => TlsCertificateRefusal.None,
        (_, 2 or 7 or 18 or 19 or 20 or 21 or 27 or 28 or 29 or 30 or 31) => TlsCertificateRefusal.UnknownAuthority,
        (_, 10) => TlsCertificateRefusal.Expired,
        (_, 9) => TlsCertificateRefusal.NotYetValid,
        (_, 23) => TlsCertificateRefusal.Revoked,
        (_, 3 or 5 or 8 or 11 or 12 or 15 or 16 or 33 or 35 or 36 or 44 or 54) => TlsCertificateRefusal.RevocationUnknown,
        (_, 26 or 32 or 79) => TlsCertificateRefusal.WrongPurpose,
        (_, 22 or 25) => TlsCertificateRefusal.ChainTooLong,
        _ => TlsCertificateRefusal.Other,
    };

    /// <summary>In words: <c>TLS alert handshake_failure</c>, <c>connection refused</c>.</summary>
    public override unsafe string ToString() => Kind switch
    {
        TlsFailureKind.None => "no failure",
        TlsFailureKind.Alert => $"TLS alert {TlsAlert.Name(Code)}",
        TlsFailureKind.Verification => $"certificate not trusted: {Text(Libcrypto.X509_verify_cert_error_string(Code)) ?? $"error {Code}"}",
        TlsFailureKind.NoCertificate => "no certificate shown",
        TlsFailureKind.Protocol => $"TLS error: {Text(Libcrypto.ERR_reason_error_string((uint)Code)) ?? $"code 0x{Code:x}"}",
        TlsFailureKind.Transport => LowerCase(Marshal.GetPInvokeErrorMessage(Code)),
        _ => "connection closed without close_notify",
    };

    private static unsafe string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);

    private static string LowerCase(string sentence) => sentence.Length == 0 ? sentence : char.ToLowerInvariant(sentence[0]) + sentence[1..];
}
