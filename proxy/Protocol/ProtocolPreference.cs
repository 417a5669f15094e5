namespace WarpProxy.Protocol;

/// <summary>Whose order decides among what both sides have.</summary>
internal enum ProtocolPreference
{
    /// <summary>The server's; but ChaCha20 comes first for a client that puts it first, since it has no AES in hardware.</summary>
    Server,

    /// <summary>The client's.</summary>
    Client,
}
