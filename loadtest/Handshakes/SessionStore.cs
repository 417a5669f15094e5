using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>
/// The latest session of each name, and whose turn it is to offer one. Each connection that is read to its end renews it, so that a
/// server that takes a ticket once only is offered fresh ones. One thread.
/// </summary>
/// <param name="names">How many names.</param>
/// <param name="share">Share of the connections that offer a session, 0 to 1.</param>
internal sealed class SessionStore(int names, double share) : IDisposable
{
    private readonly TlsSession[] _sessions = [.. Enumerable.Range(0, names).Select(static _ => new TlsSession())];
    private double _owed;

    /// <summary>The session that the next connection offers; null if it is to make a full handshake or there is none yet.</summary>
    public TlsSession? Take(int name)
    {
        // While there is none, nothing adds up that later connections would have to make good.
        _owed = Math.Min(_owed + share, 1 + share);
        if (_owed < 1 || !_sessions[name].IsResumable)
        {
            return null;
        }

        _owed -= 1;
        return _sessions[name];
    }

    /// <summary>Keeps the session of a connection that has ended well.</summary>
    public void Keep(TlsClientConnection connection, int name)
    {
        if (share > 0)
        {
            connection.SaveSession(_sessions[name]);
        }
    }

    public void Dispose()
    {
        foreach (TlsSession session in _sessions)
        {
            session.Dispose();
        }
    }
}
