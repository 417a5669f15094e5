using System.Diagnostics;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace WarpProxy.Tls;

/// <summary>
/// A read of the transport whose continuation runs on a handshake lane. One per connection, used again for each read, since
/// a pipe has one reader that reads once at a time.
/// </summary>
/// <remarks>
/// It reports Pending until the continuation is there, even when the bytes are: an awaiter that finds a task completed goes
/// on where it is, and that may be the thread pool. Only when the continuation is registered is the inner read waited for.
/// The frames further out register theirs while the thread unwinds, and one that does so just when another lane has completed
/// the task is sent to the thread pool by .NET (seen at the first handshakes, whose frames are slow while they are compiled).
/// So a lane is asked only when the bytes are there and the lane that carried the handshake so far has unwound.
/// </remarks>
internal sealed class LaneRead : IValueTaskSource<ReadResult>
{
    private readonly HandshakeLanes _lanes;
    private readonly Action _open;
    private ValueTask<ReadResult> _inner;
    private Action<object?>? _continuation;
    private object? _state;
    private ExecutionContext? _context;
    private LaneRefusal? _refusal;
    private int _closedGates;       // what has still to happen before a lane is asked
    private bool _isUnwinding;      // the calling lane's: it has a gate to open
    private bool _isResumed;
    private short _version;

    /// <summary>Makes the reads of one connection.</summary>
    public LaneRead(HandshakeLanes lanes, Handshake handshake)
    {
        _lanes = lanes;
        Handshake = handshake;
        _open = Open;
    }

    /// <summary>The handshake that reads.</summary>
    public Handshake Handshake { get; }

    /// <summary>Wraps a read; the task returned is awaited once, before the next read starts.</summary>
    public ValueTask<ReadResult> Start(ValueTask<ReadResult> inner)
    {
        Debug.Assert(_continuation is null, "the read before is not done");
        _inner = inner;
        _isResumed = false;
        _refusal = null;
        return new ValueTask<ReadResult>(this, ++_version);
    }

    /// <summary>Called by a lane: runs what waits for the read.</summary>
    public void Resume()
    {
        _isResumed = true;
        (Action<object?> continuation, object? state, ExecutionContext? context) = (_continuation!, _state, _context);
        (_continuation, _state, _context) = (null, null, null);
        if (context is null)
        {
            continuation(state);
        }
        else
        {
            ExecutionContext.Run(context, static run => ((Action)run!)(), () => continuation(state));
        }
    }

    /// <summary>Called by a lane when <see cref="Resume"/> has returned.</summary>
    public void Unwound()
    {
        if (_isUnwinding)
        {
            _isUnwinding = false;
            Open();
        }
    }

    /// <summary>Lets the read fail, on the thread pool.</summary>
    public void Refuse(LaneRefusal reason)
    {
        _refusal = reason;
        ThreadPool.UnsafeQueueUserWorkItem(static read => read.Resume(), this, preferLocal: false);
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token)
    {
        CheckToken(token);
        return !_isResumed ? ValueTaskSourceStatus.Pending
            : _refusal is not null ? ValueTaskSourceStatus.Faulted
            : ValueTaskSourceStatus.Succeeded;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// No scheduling context is asked for: Kestrel has none, and the lane is the point. An async method brings its own
    /// execution context; only other callers ask for one with the flag.
    /// </remarks>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        CheckToken(token);
        _continuation = continuation;
        _state = state;
        _context = flags.HasFlag(ValueTaskSourceOnCompletedFlags.FlowExecutionContext) ? ExecutionContext.Capture() : null;

        _isUnwinding = HandshakeLane.CurrentHandshake == Handshake;
        _closedGates = _isUnwinding ? 2 : 1;

        // Off the lanes the next line may have a lane run before it returns: nothing of this read may be touched after it.
        var awaiter = _inner.GetAwaiter();
        if (awaiter.IsCompleted)
        {
            Open();
        }
        else
        {
            awaiter.UnsafeOnCompleted(_open);
        }
    }

    /// <inheritdoc/>
    public ReadResult GetResult(short token)
    {
        CheckToken(token);
        if (!_isResumed)
        {
            throw new InvalidOperationException("The read is not done; it can only be awaited.");
        }

        _isResumed = false;
        return _refusal is { } reason ? throw new LaneRefusedException(reason) : _inner.GetAwaiter().GetResult();
    }

    // Interlocked is a full barrier: who opens the last gate sees all that was written before the others were opened.
    private void Open()
    {
        if (Interlocked.Decrement(ref _closedGates) == 0)
        {
            _lanes.Post(this);
        }
    }

    private void CheckToken(short token)
    {
        if (token != _version)
        {
            throw new InvalidOperationException("This read is over; its task can be awaited once.");
        }
    }
}
