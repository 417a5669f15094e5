using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// An SSL, or none; a client puts one after the other into the same handle, so that a connection slot allocates nothing managed. Closed
/// while a call is inside, it is freed when the call returns.
/// </summary>
internal sealed class SslHandle() : SafeHandle(0, ownsHandle: true)
{
    private static int _heldServerCount;
    private bool _isServer;

    /// <summary>How many SSLs of servers there are that were not freed. Counts alone, so that atomic operations are all that is needed.</summary>
    public static int HeldServerCount => Volatile.Read(ref _heldServerCount);

    public override bool IsInvalid => handle == 0;

    /// <summary>Frees what it holds, keys included, and takes ownership of another SSL, or of none (0).</summary>
    public void Replace(nint ssl)
    {
        nint old = handle;
        SetHandle(ssl);
        Libssl.SSL_free(old);
    }

    /// <summary>Takes ownership of a server's SSL, the only one it will hold, and counts it until it is freed.</summary>
    public void HoldServer(nint ssl)
    {
        Interlocked.Increment(ref _heldServerCount);
        _isServer = true;
        SetHandle(ssl);
    }

    /// <summary>
    /// What a call that returned 0 or less came to; empties the error queue if it failed. The queue was empty before the call.
    /// </summary>
    /// <param name="returned">What the call returned.</param>
    /// <param name="error">errno after the call.</param>
    /// <param name="failure">Why it failed; none unless the status says so.</param>
    public TlsStatus Judge(int returned, int error, out TlsFailure failure)
    {
        failure = default;
        switch (Libssl.SSL_get_error(this, returned))
        {
            case Libssl.SSL_ERROR_WANT_READ:
                return TlsStatus.WantRead;
            case Libssl.SSL_ERROR_WANT_WRITE:
                return TlsStatus.WantWrite;
            case Libssl.SSL_ERROR_ZERO_RETURN:
                return TlsStatus.Closed;
            case Libssl.SSL_ERROR_SYSCALL:
                // Without an error number the peer has closed.
                failure = error == 0 ? new(TlsFailureKind.EndOfStream, 0) : new(TlsFailureKind.Transport, error);
                break;
            default:
                failure = FailureOf(Libcrypto.ERR_peek_error());
                break;
        }

        Libcrypto.ERR_clear_error();
        return TlsStatus.Failed;
    }

    protected override bool ReleaseHandle()
    {
        Libssl.SSL_free(handle);
        if (_isServer)
        {
            Interlocked.Decrement(ref _heldServerCount);
        }

        return true;
    }

    private TlsFailure FailureOf(nuint code)
    {
        (int library, int reason) = Libcrypto.Split(code);
        return (library, reason) switch
        {
            (Libssl.LibrarySsl, Libssl.SSL_R_UNEXPECTED_EOF_WHILE_READING) => new(TlsFailureKind.EndOfStream, 0),
            (Libssl.LibrarySsl, Libssl.SSL_R_CERTIFICATE_VERIFY_FAILED) => new(TlsFailureKind.Verification, (int)Libssl.SSL_get_verify_result(this)),
            (Libssl.LibrarySsl, Libssl.SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) => new(TlsFailureKind.NoCertificate, 0),
            (Libssl.LibrarySsl, >= Libssl.SSL_AD_REASON_OFFSET) => new(TlsFailureKind.Alert, reason - Libssl.SSL_AD_REASON_OFFSET),
            _ => new(TlsFailureKind.Protocol, (int)code),
        };
    }
}
