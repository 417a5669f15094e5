using System.Runtime.CompilerServices;

namespace WarpProxy.Tls;

/// <summary>
/// Turns of the handshakes that run on the thread pool, since no lane is needed: only so many are in the pool at once, running or queued. Of a crowd, the
/// others wait here, first come first served, so that the work of established connections is behind a few of them and not behind thousands. How
/// many may wait <c>Tls:MaxHandshakes</c> says, and a turn is computing alone, so that each comes soon. Any thread.
/// </summary>
internal sealed class HandshakeTurns(int count)
{
    private readonly Lock _gate = new();
    private readonly Queue<Action> _waiting = new();
    private int _free = count;

    /// <summary>Handshakes that wait for their turn now.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>To be awaited: then it is the caller's turn, until <see cref="End"/>.</summary>
    public Turn BeginAsync() => new(this);

    /// <summary>Gives the turn to who waits longest, whose work goes to the end of the thread pool's queue.</summary>
    public void End()
    {
        Action? next;
        lock (_gate)
        {
            if (!_waiting.TryDequeue(out next))
            {
                _free++;
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static next => next(), next, preferLocal: false);
    }

    private bool TryTake()
    {
        lock (_gate)
        {
            bool isFree = _free > 0;
            _free -= isFree ? 1 : 0;
            return isFree;
        }
    }

    private void TakeOrWait(Action continuation)
    {
        lock (_gate)
        {
            if (_free == 0)
            {
                _waiting.Enqueue(continuation);
                return;
            }

            _free--;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static next => next(), continuation, preferLocal: false);
    }

    /// <summary>For await.</summary>
    internal readonly struct Turn(HandshakeTurns turns) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => turns.TryTake();

        public Turn GetAwaiter() => this;

        public void GetResult()
        {
            // There is a turn for everybody.
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        /// <remarks>An async method brings its execution context along in its continuation.</remarks>
        public void UnsafeOnCompleted(Action continuation) => turns.TakeOrWait(continuation);
    }
}
