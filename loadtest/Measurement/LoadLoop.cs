using WarpDrive.Linux;
using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>
/// What one thread does: it begins operations as the pacing says, drives them with one poller, and counts. Nothing is allocated per
/// operation after the first ones, except by errors.
/// </summary>
/// <param name="counters">What it counts into.</param>
/// <param name="timeout">The longest that one operation may take, from its real start.</param>
/// <param name="pacing">This thread's.</param>
/// <param name="window">The run's.</param>
/// <param name="slots">Room for operations; the loop owns them.</param>
internal abstract class LoadLoop<TSlot>(
    LoadCounters counters, TimeSpan timeout, IPacing pacing, RunWindow window, IReadOnlyList<TSlot> slots) : IDisposable
    where TSlot : class, ILoadSlot
{
    /// <summary>How long the server may take to end a connection after all that was wanted was there.</summary>
    public const long EndLimit = LoadClock.Second;

    /// <summary>How long an open loop goes on with what was due in the window. What is then still open counts with its waiting so far.</summary>
    public const long DrainLimit = LoadClock.Second;

    /// <summary>A closed loop waits so long after an error, or it would do nothing but fail.</summary>
    public const long PauseAfterError = LoadClock.Second / 100;

    // Of time limits, which need not be precise.
    private const long LimitInterval = LoadClock.Second / 20;
    private const int MaxStartsPerTurn = 16;
    private const int BufferSize = 32 * 1024;

    private readonly long _timeout = LoadClock.From(timeout);
    private readonly SocketPoller _poller = new();
    private readonly uint[] _generations = new uint[slots.Count]; // of each slot's socket: an event of an earlier one is told apart by it
    private readonly Stack<int> _free = new(Enumerable.Range(0, slots.Count));
    private readonly Queue<(long Until, int Index)> _paused = new();
    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly SocketEvent[] _events = new SocketEvent[SocketPoller.MaxEvents];

    /// <summary>The thread's body.</summary>
    public void Run(LoadThread thread)
    {
        long limitsAt = window.Start;
        long now = LoadClock.Now;
        while (now < window.Until || IsDraining(now))
        {
            thread.Mark(now);
            BeginDue(now);
            long wakeAt = Math.Min(limitsAt, NextBegin());
            int count = _poller.Wait(_events, LoadClock.ToTimeSpan(wakeAt - LoadClock.Now));
            for (int i = 0; i < count; i++)
            {
                (int index, uint generation) = ((int)(uint)_events[i].Tag, (uint)(_events[i].Tag >> 32));
                if (_generations[index] == generation && slots[index].IsBusy)
                {
                    Advance(index);
                }
            }

            now = LoadClock.Now;
            if (now >= limitsAt)
            {
                limitsAt = now + LimitInterval;
                CutLate(now);
            }
        }

        thread.Mark(now);
        CountUnfinished(now);
    }

    public virtual void Dispose()
    {
        foreach (TSlot slot in slots)
        {
            slot.Dispose();
        }

        _poller.Dispose();
    }

    /// <summary>Begins the slot's next operation.</summary>
    protected abstract LoadProgress Begin(TSlot slot, long intended);

    /// <summary>Called when all is done, or, with <paramref name="isCut"/>, before the connection is cut that the server did not end.</summary>
    protected abstract void End(TSlot slot, bool isCut);

    /// <summary>Counts an operation that is done; as completed it is counted already.</summary>
    /// <param name="slot">The operation.</param>
    /// <param name="isInWindow">Whether it was completed in the window: the rate counts those.</param>
    /// <param name="isLatencyMeasured">
    /// Whether its latency counts: that of what was completed in the window (closed loop), or of what was due in it (open loop),
    /// whenever it was completed.
    /// </param>
    protected abstract void CountDone(TSlot slot, bool isInWindow, bool isLatencyMeasured);

    /// <summary>Whether an open loop still owes answers to what was due in the window.</summary>
    private bool IsDraining(long now) =>
        pacing.IsOpenLoop
        && now < window.Until + DrainLimit
        && (pacing.NextDue < window.Until || slots.Any(static slot => slot.IsBusy && !slot.IsEnding));

    /// <summary>When the next operation may begin.</summary>
    private long NextBegin()
    {
        long next = _paused.TryPeek(out (long Until, int Index) paused) ? paused.Until : long.MaxValue;
        if (_free.Count > 0 && pacing.NextDue < window.Until)
        {
            next = Math.Min(next, pacing.NextDue);
        }

        return LoadClock.Now < window.Until ? Math.Min(next, window.Until) : next;
    }

    private void BeginDue(long now)
    {
        while (_paused.TryPeek(out (long Until, int Index) paused) && paused.Until <= now)
        {
            _free.Push(_paused.Dequeue().Index);
        }

        // Some at a time: those that are under way wait for this thread, too.
        long until = window.Until;
        for (int i = 0; i < MaxStartsPerTurn && _free.Count > 0 && pacing.NextDue < until; i++)
        {
            long started = LoadClock.Now;
            if ((!pacing.IsOpenLoop && started >= until) || !pacing.TryTake(started, out long intended))
            {
                return;
            }

            Begin(_free.Pop(), intended, started);
        }
    }

    private void Begin(int index, long intended, long started)
    {
        if (pacing.IsOpenLoop && window.Contains(intended))
        {
            counters.StartDelay.Record(started - intended);
        }

        counters.InFlight++;
        if (Begin(slots[index], intended) == LoadProgress.Failed)
        {
            Settle(index, LoadProgress.Failed);
            return;
        }

        // On the loopback interface a connection is there by now; elsewhere what is to be sent waits, ready.
        Watch(index);
        Advance(index);
    }

    private void Advance(int index)
    {
        LoadProgress progress = slots[index].Advance(_buffer);
        if (progress == LoadProgress.Waiting)
        {
            Watch(index);
        }

        Settle(index, progress);
    }

    /// <summary>Polls a socket that is new; one that is ready already is reported by the next wait.</summary>
    private void Watch(int index)
    {
        if (slots[index].TakeNewSocket())
        {
            _poller.Add(slots[index].Socket, ((ulong)++_generations[index] << 32) | (uint)index);
        }
    }

    private void Settle(int index, LoadProgress progress)
    {
        TSlot slot = slots[index];
        switch (progress)
        {
            case LoadProgress.Ended:
                End(slot, isCut: false);
                CountDone(slot);
                Free(index);
                break;
            case LoadProgress.Failed:
                slot.Cut();
                Fail(index, slot.Error);
                break;
        }
    }

    private void CutLate(long now)
    {
        for (int i = 0; i < slots.Count; i++)
        {
            TSlot slot = slots[i];
            if (!slot.IsBusy)
            {
                continue;
            }

            if (slot.IsEnding && now - slot.Done >= EndLimit)
            {
                End(slot, isCut: true);
                slot.Cut();
                CountDone(slot);
                Free(i);
            }
            else if (!slot.IsEnding && now - slot.Started >= _timeout)
            {
                slot.Cut();
                Fail(i, LoadError.Timeout);
            }
        }
    }

    private void CountDone(TSlot slot)
    {
        bool isInWindow = window.Contains(slot.MeasuredAt);
        counters.Completed += isInWindow ? 1 : 0;
        CountDone(slot, isInWindow, window.Contains(pacing.IsOpenLoop ? slot.Intended : slot.MeasuredAt));
    }

    private void Fail(int index, LoadError error)
    {
        long now = LoadClock.Now;
        if (window.Contains(pacing.IsOpenLoop ? slots[index].Intended : now))
        {
            counters.Errors.Count(error);
        }

        if (pacing.IsOpenLoop)
        {
            Free(index);
        }
        else
        {
            counters.InFlight--;
            _paused.Enqueue((now + PauseAfterError, index));
        }
    }

    private void Free(int index)
    {
        counters.InFlight--;
        _free.Push(index);
    }

    private void CountUnfinished(long now)
    {
        foreach (TSlot slot in slots.Where(static slot => slot.IsBusy))
        {
            bool isDone = slot.IsEnding;
            slot.Cut();
            if (isDone)
            {
                CountDone(slot);
            }
            else
            {
                counters.CountUnfinished(slot.Intended, now, pacing, window);
            }
        }

        counters.CountNeverBegun(now, pacing, window);
    }
}
