using System.Runtime.CompilerServices;

namespace WarpProxy.Tls;

/// <summary>
/// The way of one handshake onto lanes: what awaits it goes on upon a lane, or learns on the thread pool why not. Awaited once per flight,
/// one after the other; it allocates nothing then.
/// </summary>
internal sealed class LaneEntry(HandshakeLanes lanes, Handshake handshake) : ICriticalNotifyCompletion
{
    // Written before Post, read by the lane or the pool, which Post hands over to.
    private Action? _continuation;
    private LaneRefusal? _refusal;

    /// <summary>Whose it is.</summary>
    public Handshake Handshake => handshake;

    /// <summary>Whether this handshake is on a lane now.</summary>
    public bool IsCompleted => HandshakeLane.CurrentHandshake == handshake;

    /// <summary>For await.</summary>
    public LaneEntry GetAwaiter() => this;

    /// <summary>Null on a lane; else why there was none.</summary>
    public LaneRefusal? GetResult() => _refusal;

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <inheritdoc/>
    /// <remarks>An async method brings its execution context along in its continuation.</remarks>
    public void UnsafeOnCompleted(Action continuation)
    {
        _continuation = continuation;
        _refusal = null;

        // The next line may have a lane run before it returns: nothing of this entry may be touched after it.
        lanes.Post(this);
    }

    /// <summary>Called by a lane: runs what waits.</summary>
    public void Resume()
    {
        Action continuation = _continuation!;
        _continuation = null;
        continuation();
    }

    /// <summary>Lets what waits go on without a lane, on the thread pool.</summary>
    public void Refuse(LaneRefusal reason)
    {
        _refusal = reason;
        ThreadPool.UnsafeQueueUserWorkItem(static entry => entry.Resume(), this, preferLocal: false);
    }
}
