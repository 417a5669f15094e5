using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>Why one operation failed, as a value that is counted and, in the end, put into words.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Tls">The connection's failure, for <see cref="LoadErrorKind.Connection"/>.</param>
/// <param name="Status">The status code, for <see cref="LoadErrorKind.HttpStatus"/>; the error code, for <see cref="LoadErrorKind.Http2"/>.</param>
internal readonly record struct LoadError(LoadErrorKind Kind, TlsFailure Tls = default, int Status = 0)
{
    // RFC 9113 7, from 0.
    private static readonly string[] Http2Codes =
    [
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
        "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    ];

    public static LoadError Timeout => new(LoadErrorKind.Timeout);

    public static LoadError Of(TlsFailure failure) => new(LoadErrorKind.Connection, failure);

    /// <summary>Of a socket that could not connect: an error number.</summary>
    public static LoadError OfSocket(int error) => Of(new TlsFailure(TlsFailureKind.Transport, error));

    /// <summary>In words: <c>connect refused</c>, <c>TLS alert handshake_failure</c>, <c>timeout</c>, <c>HTTP status 503</c>.</summary>
    public override string ToString() => (Kind, Tls.Kind, Tls.Code) switch
    {
        (LoadErrorKind.Timeout, _, _) => "timeout",
        (LoadErrorKind.HttpStatus, _, _) => $"HTTP status {Status}",
        (LoadErrorKind.NotHttp, _, _) => "not an HTTP response",
        (LoadErrorKind.Handshake, _, _) => "TLS handshake failed",
        (LoadErrorKind.Http2, _, _) => Status >= 0 && Status < Http2Codes.Length ? $"HTTP/2 error {Http2Codes[Status]}" : $"HTTP/2 error {Status}",
        (LoadErrorKind.Other, _, _) => "request failed",
        (_, TlsFailureKind.Transport, Errno.ECONNREFUSED) => "connect refused",
        (_, TlsFailureKind.Transport, Errno.ECONNRESET or Errno.EPIPE) => "reset by the server",
        (_, TlsFailureKind.Transport, Errno.ETIMEDOUT) => "connect timed out",
        (_, TlsFailureKind.EndOfStream, _) => "closed by the server",
        _ => Tls.ToString(),
    };
}

/// <summary>What went wrong with an operation.</summary>
internal enum LoadErrorKind
{
    None,

    /// <summary>The connection failed: refused, reset, closed, an alert, a certificate that is not trusted.</summary>
    Connection,

    /// <summary>It was not done within its time limit.</summary>
    Timeout,

    /// <summary>The response has a status other than 2xx or 3xx.</summary>
    HttpStatus,

    /// <summary>What came back is no HTTP response.</summary>
    NotHttp,

    /// <summary>.NET's TLS failed in the handshake, or does not trust the server.</summary>
    Handshake,

    /// <summary>The server ended a stream or the connection with an error code of HTTP/2.</summary>
    Http2,

    /// <summary>Something that .NET's HTTP client has no finer word for.</summary>
    Other,
}
