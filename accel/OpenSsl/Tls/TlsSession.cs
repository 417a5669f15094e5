using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// Room for the session of one connection, which a later connection to the same name may offer. Filled again and again by
/// <see cref="TlsClientConnection.SaveSession"/>. One thread at a time. Its keys are zeroed by OpenSSL when the last holder lets go of it.
/// </summary>
public sealed class TlsSession : IDisposable
{
    private nint _session;

    /// <summary>The last resort, when nobody disposes.</summary>
    ~TlsSession()
    {
        Libssl.SSL_SESSION_free(_session);
    }

    /// <summary>
    /// Whether a connection may offer it. False while it is empty, and after a connection with it ended without close_notify
    /// of our own.
    /// </summary>
    public bool IsResumable => _session != 0 && Libssl.SSL_SESSION_is_resumable(_session) == 1;

    /// <summary>SSL_SESSION, or 0.</summary>
    internal nint Pointer => _session;

    /// <summary>Forgets the session.</summary>
    public void Dispose()
    {
        Replace(0);
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes ownership of another session.</summary>
    internal void Replace(nint session)
    {
        nint old = _session;
        _session = session;
        Libssl.SSL_SESSION_free(old);
    }
}
