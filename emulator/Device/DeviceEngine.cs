using System.Diagnostics;
using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Hpre;
using WarpDrive.Emulator.Faults;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpDrive.Emulator;

/// <summary>
/// One engine of the device: fetches a batch from all queues in turn, computes it, completes it. Its three phases are for one
/// thread; normally that of <see cref="Run"/>.
/// </summary>
internal sealed class DeviceEngine : IDisposable
{
    private const int MinCapacity = 16;

    // Splitting a batch among free engines may cost this much more than computing it whole: it ends earlier.
    private const double MaxCostOfSplitting = 1.1;

    private readonly Scheduler _scheduler;
    private readonly IRsaEngine _engine;
    private readonly FaultInjector? _faults;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _number;
    private readonly int _engineCount;
    private readonly long _spinTicks;
    private readonly int _lanes;
    private readonly MappedMemory _storage;
    private readonly OperationBatch _batch;
    private readonly FetchedOperation[] _operations;
    private BatchTimes _times;      // of the batch that was computed last
    private readonly BatchCounts _batches = new();
    private long _completed;
    private long _errors;
    private int _cursor;
    private long _fetched;              // when, and how much longer than computing the batch has to take: with faults only
    private long _computed;
    private TimeSpan _extraTime;
    private bool _hasThrown;

    /// <summary>Takes ownership of <paramref name="engine"/>.</summary>
    /// <param name="scheduler">The queues; shared by all engines of the device.</param>
    /// <param name="engine">What computes.</param>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="engineCount">How many engines serve the device.</param>
    /// <param name="spinTime">How long to look before sleeping.</param>
    /// <param name="faults">What goes wrong on purpose; null: nothing.</param>
    /// <param name="time">The clock of faults.</param>
    /// <param name="logger">For what goes wrong.</param>
    /// <exception cref="LinuxException">No memory.</exception>
    public DeviceEngine(
        Scheduler scheduler, IRsaEngine engine, int number, int engineCount, TimeSpan spinTime, FaultInjector? faults, TimeProvider time, ILogger logger)
    {
        _scheduler = scheduler;
        _engine = engine;
        _faults = faults;
        _time = time;
        _logger = logger;
        _number = number;
        _engineCount = engineCount;
        _spinTicks = (long)(spinTime.TotalSeconds * Stopwatch.Frequency);
        _lanes = Math.Max(engine.Lanes, 1);
        int capacity = Math.Max(_lanes, MinCapacity);
        _storage = MappedMemory.AllocateSecret(OperationBatch.StorageBytes(capacity));
        _batch = new OperationBatch(capacity, _storage.Memory);
        _operations = new FetchedOperation[capacity];

        // Engines start their rounds at different queues, so that they meet less often.
        _cursor = number;
    }

    /// <summary>Bytes that the batch of an engine locks; none has more lanes than this is for.</summary>
    public static long LockedBytes => OperationBatch.StorageBytes(MinCapacity);

    /// <summary>Operations that ended with a result.</summary>
    public long Completed => Volatile.Read(ref _completed);

    /// <summary>Operations that ended with an error.</summary>
    public long Errors => Volatile.Read(ref _errors);

    /// <summary>How many batches had how many operations.</summary>
    public BatchCounts Batches => _batches;

    /// <summary>Processor time that it has used.</summary>
    public EngineWork Work { get; } = new();

    /// <summary>How long <see cref="Complete"/> has to be put off, by a fault that slows the device down. Not negative.</summary>
    public TimeSpan TimeToCompletion
    {
        get
        {
            TimeSpan left = _extraTime == TimeSpan.Zero ? TimeSpan.Zero : _extraTime - _time.GetElapsedTime(_computed);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Whether keys in the batch can never reach swap.</summary>
    public bool IsMemoryLocked => _storage.IsLocked;

    /// <summary>The thread's body: serves the queues until the scheduler stops, and wakes the next engine so that it sees it too.</summary>
    public void Run()
    {
        long idleSince = 0;
        while (!_scheduler.IsStopping)
        {
            bool hasWorked = Step();
            if (_faults is not null)
            {
                // With a queue that is stalled on purpose there is always something posted: sleeping as below would be no sleep.
                hasWorked |= _faults.Step(_scheduler.Queues) > 0;
                Thread.Sleep(hasWorked ? 0 : 1);
                continue;
            }

            if (hasWorked)
            {
                idleSince = 0;
                continue;
            }

            long now = Stopwatch.GetTimestamp();
            idleSince = idleSince == 0 ? now : idleSince;
            if (now - idleSince < _spinTicks)
            {
                Thread.SpinWait(8);
                continue;
            }

            _scheduler.Sleep();
            idleSince = 0;
        }

        _scheduler.Wake();
    }

    /// <summary>One pass of all three phases; returns whether anything was posted.</summary>
    public bool Step()
    {
        if (!Fetch())
        {
            return false;
        }

        Execute();
        if (TimeToCompletion is { Ticks: > 0 } left)
        {
            Thread.Sleep(left);
        }

        Complete();
        return true;
    }

    /// <summary>
    /// Takes at most as many operations as the engine has lanes, all of the kind of the first one found: one from each queue in
    /// turn, beginning behind the queue that was served last, and round again while there is room. The next batch begins at the
    /// first queue whose operation is of another kind, so that every queue comes first in its turn. Nothing waits for company; what
    /// would gain nothing by it is taken next. Returns whether anything was posted, be it only to be refused.
    /// </summary>
    public bool Fetch()
    {
        VirtualQueue[] queues = _scheduler.Queues;
        if (queues.Length == 0)
        {
            return false;
        }

        int limit = _lanes;
        int taken = 0;
        int start = _cursor % queues.Length;
        int passedOver = -1;
        for (int step = 0, idleSteps = 0; taken < limit && idleSteps < queues.Length; step++)
        {
            int at = (start + step) % queues.Length;
            FetchedOperation operation = default;
            FetchOutcome outcome = _faults is not null && _faults.IsStalled(queues[at].Number)
                ? FetchOutcome.Nothing
                : queues[at].TryFetch(_batch, out operation);
            if (outcome is not (FetchOutcome.Ready or FetchOutcome.Refused))
            {
                idleSteps++;
                passedOver = outcome == FetchOutcome.OtherKind && passedOver < 0 ? at : passedOver;
                continue;
            }

            // A refused one takes part of the turn too: who posts nonsense must not keep the others from being computed.
            idleSteps = 0;
            taken++;
            _cursor = at + 1;
            if (outcome == FetchOutcome.Refused)
            {
                Volatile.Write(ref _errors, _errors + 1);
                continue;
            }

            _operations[_batch.Count - 1] = operation;
            if (_batch.Count == 1)
            {
                limit = Math.Max(taken, ChooseLimit(queues));
            }
        }

        _cursor = passedOver >= 0 ? passedOver : _cursor;
        if (_batch.Count > 0)
        {
            _fetched = _faults is null ? 0 : _time.GetTimestamp();
            _scheduler.EnterBusy();
        }

        return taken > 0;
    }

    /// <summary>Computes what was fetched.</summary>
    public void Execute()
    {
        if (_batch.Count == 0)
        {
            return;
        }

        _batches.Count(_batch);
        long begun = Stopwatch.GetTimestamp();
        long since = ThreadTime.ReadNanoseconds();
        try
        {
            _engine.Execute(_batch);
        }
#pragma warning disable CA1031 // Whatever an engine throws is the engine's failure: the operations end with error 5, the device lives on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            for (int i = 0; i < _batch.Count; i++)
            {
                _batch[i].Status = RsaStatus.Failed;
            }

            if (!_hasThrown)
            {
                _hasThrown = true;
                _logger.EngineThrew(_number, failure);
            }
        }

        if (_faults is not null)
        {
            _computed = _time.GetTimestamp();
            _extraTime = _faults.ExtraTime(_time.GetElapsedTime(_fetched, _computed));
        }

        Work.Count(_batch, since, ThreadTime.ReadNanoseconds());
        long ended = Stopwatch.GetTimestamp();      // CLOCK_MONOTONIC in nanoseconds
        _times = new BatchTimes(ended, ended - begun, _batch.Count);
    }

    /// <summary>Hands every result to its queue and zeroes the batch.</summary>
    public void Complete()
    {
        if (_batch.Count == 0)
        {
            return;
        }

        for (int i = 0; i < _batch.Count; i++)
        {
            FetchedOperation operation = _operations[i] with { Times = _times };
            CompletionOutcome? outcome = _faults is null
                ? operation.Queue.Complete(operation, ErrorOf(_batch[i].Status), _batch.Output(i))
                : _faults.Complete(operation, ErrorOf(_batch[i].Status), _batch.Output(i));
            if (outcome == CompletionOutcome.Done)
            {
                Volatile.Write(ref _completed, _completed + 1);
            }
            else if (outcome == CompletionOutcome.Failed)
            {
                Volatile.Write(ref _errors, _errors + 1);
            }
        }

        // No reference to a queue that may be closed meanwhile, no key and no result stays.
        Array.Clear(_operations, 0, _batch.Count);
        _batch.Clear();
        VectorRegisters.Clear();
        _scheduler.LeaveBusy();
    }

    /// <summary>Zeroes and unmaps the batch and disposes the engine; the thread of <see cref="Run"/> has ended.</summary>
    public void Dispose()
    {
        _storage.GetSpan().Clear();
        _storage.Dispose();
        _engine.Dispose();
    }

    private static HpreError ErrorOf(RsaStatus status) => status switch
    {
        RsaStatus.Done => HpreError.None,
        RsaStatus.Unsupported => HpreError.Unsupported,
        RsaStatus.BadKey => HpreError.Key,
        RsaStatus.BadInput => HpreError.Input,
        _ => HpreError.Engine,
    };

    /// <summary>
    /// What the engine best computes together, of what waits of the batch's kind. While other engines are free, of this engine's
    /// share of it, so that they compute the rest at the same time: among as many of them as make it little more expensive. Never
    /// more than the lanes: what is held beyond them would wait here while another engine becomes free.
    /// </summary>
    private int ChooseLimit(VirtualQueue[] queues)
    {
        if (_lanes == 1)
        {
            return 1;
        }

        int free = Math.Max(_engineCount - _scheduler.Busy, 1);
        int waiting = 1;
        for (int i = 0; i < queues.Length && waiting < _lanes * free; i++)
        {
            waiting += queues[i].CountWaiting(_batch);
        }

        int share = ChooseShare(Math.Min(waiting, _lanes * free), free);
        return _engine.Portion(_batch[0].Algorithm, _batch[0].ModulusBytes, share);
    }

    private int ChooseShare(int waiting, int free)
    {
        double wholeCost = CostOf(waiting, _lanes);
        for (int sharers = free; sharers > 1; sharers--)
        {
            int share = (waiting + sharers - 1) / sharers;
            if (CostOf(waiting, share) <= wholeCost * MaxCostOfSplitting)
            {
                return share;
            }
        }

        return Math.Min(waiting, _lanes);
    }

    /// <summary>What it costs to compute operations of the batch's kind in batches of <paramref name="share"/>.</summary>
    private double CostOf(int operations, int share)
    {
        double cost = operations / share * CostOf(share);
        return operations % share == 0 ? cost : cost + CostOf(operations % share);
    }

    private double CostOf(int operations) => _engine.Cost(_batch[0].Algorithm, _batch[0].ModulusBytes, operations);
}
