using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>Why a connection failed, as a value: equal failures are equal, so that they can be counted.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Code">A number whose meaning the kind says.</param>
public readonly record struct TlsFailure(TlsFailureKind Kind, int Code)
{
    /// <summary>In words: <c>TLS alert handshake_failure</c>, <c>connection refused</c>.</summary>
    public override unsafe string ToString() => Kind switch
    {
        TlsFailureKind.None => "no failure",
        TlsFailureKind.Alert => $"TLS alert {TlsAlert.Name(Code)}",
        TlsFailureKind.Verification => $"certificate not trusted: {Text(Libcrypto.X509_verify_cert_error_string(Code)) ?? $"error {Code}"}",
        TlsFailureKind.Protocol => $"TLS error: {Text(Libcrypto.ERR_reason_error_string((uint)Code)) ?? $"code 0x{Code:x}"}",
        TlsFailureKind.Transport => LowerCase(Marshal.GetPInvokeErrorMessage(Code)),
        _ => "connection closed without close_notify",
    };

    private static unsafe string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);

    private static string LowerCase(string sentence) => sentence.Length == 0 ? sentence : char.ToLowerInvariant(sentence[0]) + sentence[1..];
}
