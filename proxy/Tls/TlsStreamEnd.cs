namespace WarpProxy.Tls;

/// <summary>How the stream of a client ended.</summary>
internal enum TlsStreamEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>With close_notify: the client says that this is all.</summary>
    CloseNotify,

    /// <summary>The connection ended without: somebody may have cut it off (RFC 8446 6.1).</summary>
    Truncated,

    /// <summary>With a fatal alert, of the client or for it.</summary>
    Failed,
}
