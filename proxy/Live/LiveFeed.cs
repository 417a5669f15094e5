namespace WarpProxy.Live;

/// <summary>Hands each second's event to all who watch. One who is slow misses some and holds up nobody. Any thread.</summary>
internal sealed class LiveFeed : IDisposable
{
    /// <summary>More pages than this are not served.</summary>
    public const int MaxViewers = 32;

    private readonly CancellationTokenSource _end = new();
    private TaskCompletionSource<byte[]> _next = New();
    private int _viewers;
    private int _isDisposed;

    /// <summary>Makes one.</summary>
    public LiveFeed()
    {
        Ended = _end.Token;
    }

    /// <summary>Pages that are open now.</summary>
    public int ViewerCount => Volatile.Read(ref _viewers);

    /// <summary>Cancelled when there will be nothing more.</summary>
    public CancellationToken Ended { get; }

    /// <summary>The next event.</summary>
    public Task<byte[]> Next => Volatile.Read(ref _next).Task;

    /// <summary>Begins to watch, until <see cref="Leave"/>; false when too many do.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _viewers) <= MaxViewers)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>Once for each <see cref="TryEnter"/> that was true.</summary>
    public void Leave() => Interlocked.Decrement(ref _viewers);

    /// <summary>Hands an event out.</summary>
    public void Publish(byte[] message) => Interlocked.Exchange(ref _next, New()).TrySetResult(message);

    /// <summary>Ends all streams at once.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _end.Cancel();
            _end.Dispose();
        }
    }

    // Those who watch go on elsewhere: the thread that publishes has a clock to keep.
    private static TaskCompletionSource<byte[]> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
