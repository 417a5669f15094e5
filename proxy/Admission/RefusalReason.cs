namespace WarpProxy.Admission;

/// <summary>Why a connection was not let in, or not kept. In <c>/status</c> these names are in snake_case.</summary>
internal enum RefusalReason
{
    /// <summary><c>Limits:MaxConnections</c> is reached.</summary>
    Total,

    /// <summary>The listener's <c>MaxConnections</c> is reached.</summary>
    Listener,

    /// <summary>The listener's <c>MaxConnectionsPerAddress</c> is reached.</summary>
    Address,

    /// <summary><c>Tls:MaxHandshakes</c> is reached, and nobody has kept the proxy waiting long enough to be sent away instead.</summary>
    Handshakes,

    /// <summary><c>Tls:MaxHandshakes</c> is reached, and of all that are under way this one has owed its ClientHello the longest.</summary>
    Evicted,

    /// <summary>A connection that the proxy passed through came back to it: it would do so again and again.</summary>
    Loop,

    /// <summary>Not a connection but a pause: the process may open no more files, and takes connections again a moment later.</summary>
    OpenFiles,
}
