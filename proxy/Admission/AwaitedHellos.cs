namespace WarpProxy.Admission;

/// <summary>
/// The connections whose ClientHello has not come, in the order in which they were taken. When there is no room for another handshake, the
/// first of them makes it: a crowd that connects and says nothing then keeps nobody out. Any thread.
/// </summary>
internal sealed class AwaitedHellos(TimeProvider time)
{
    /// <summary>Nobody is sent away who has had less than this: a network may lose a packet.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly LinkedList<AdmittedConnection> _waiting = new();

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Adds one that was just taken.</summary>
    public void Add(AdmittedConnection connection)
    {
        lock (_gate)
        {
            connection.Since = time.GetTimestamp();
            _waiting.AddLast(connection.Node);
        }
    }

    /// <summary>Takes one out, if it is in.</summary>
    public void Remove(AdmittedConnection connection)
    {
        lock (_gate)
        {
            if (connection.Node.List is not null)
            {
                _waiting.Remove(connection.Node);
            }
        }
    }

    /// <summary>Takes out the one that has waited longest; null when none has waited long enough.</summary>
    public AdmittedConnection? TakeSlowest()
    {
        lock (_gate)
        {
            if (_waiting.First is not { Value: var first } || time.GetElapsedTime(first.Since) < Patience)
            {
                return null;
            }

            _waiting.RemoveFirst();
            return first;
        }
    }
}
