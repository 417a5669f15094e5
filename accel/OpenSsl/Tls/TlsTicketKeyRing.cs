namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// The set of ticket keys in force, for any number of server contexts: replaced at once for all of them while connections run, each of
/// which finishes with the set that it began with. It owns the set. Any thread.
/// </summary>
public sealed class TlsTicketKeyRing : IDisposable
{
    private TlsTicketKeys _keys;

    /// <summary>Begins with a set, which it takes over.</summary>
    public TlsTicketKeyRing(TlsTicketKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        _keys = keys;
    }

    /// <summary>The set in force. Whoever may meet a <see cref="Replace"/> reads it as one that can be disposed meanwhile.</summary>
    public TlsTicketKeys Keys => Volatile.Read(ref _keys);

    /// <summary>Takes over another set; the one before it is gone when the last handshake that uses it is.</summary>
    public void Replace(TlsTicketKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);

        // A full barrier: the new set is whole before others see it, and the old one is out of reach before it goes.
        Interlocked.Exchange(ref _keys, keys).Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => Keys.Dispose();

    /// <summary>The set in force, held: the caller releases it. Null when this is disposed.</summary>
    internal TlsTicketKeys? TryHold()
    {
        TlsTicketKeys keys = Keys;
        while (!keys.TryHold())
        {
            // Replaced in between, then there is another one; or else disposed.
            TlsTicketKeys next = Keys;
            if (next == keys)
            {
                return null;
            }

            keys = next;
        }

        return keys;
    }
}
