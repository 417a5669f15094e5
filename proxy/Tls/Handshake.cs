namespace WarpProxy.Tls;

/// <summary>
/// How far the TLS handshake of one connection is, as far as lanes care: may it still need the private key?
/// Written on lanes, read on any thread.
/// </summary>
internal sealed class Handshake
{
    // Volatile: the thread that reads next must see it. Nothing else is published by it.
    private volatile bool _isPastPrivateKey;

    /// <summary>Whether a private-key operation may still come, so that what follows has to run on a lane.</summary>
    public bool NeedsLane => !_isPastPrivateKey;

    /// <summary>The one private-key operation of this handshake is done.</summary>
    public void PrivateKeyUsed() => _isPastPrivateKey = true;

    /// <summary>The handshake is over, with or without a private-key operation (a resumed session has none).</summary>
    public void Complete() => _isPastPrivateKey = true;
}
