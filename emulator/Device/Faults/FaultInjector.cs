using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Hpre;

namespace WarpDrive.Emulator.Faults;

/// <summary>
/// Carries out a <see cref="FaultPlan"/>: engines ask it before they look at a queue, when they have computed and for each result. Any
/// thread; a lock, since a device with faults need not be fast.
/// </summary>
internal sealed class FaultInjector : IDisposable
{
    private readonly Lock _gate = new();
    private readonly FaultPlan _plan;
    private readonly Random _random;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _start;
    private readonly double[] _nextEvent;                       // of each reset and disconnect, in seconds
    private readonly List<HeldResult> _held = [];
    private readonly long[] _counts = new long[Enum.GetValues<FaultKind>().Length];
    private byte[] _previous = [];                              // the result before, for swaps; zeroed at the end

    /// <summary>The plan's time begins now.</summary>
    public FaultInjector(FaultPlan plan, TimeProvider time, ILogger logger)
    {
        _plan = plan;
        _random = new Random(plan.Seed);
        _time = time;
        _logger = logger;
        _start = time.GetTimestamp();
        _nextEvent = [.. plan.Faults.Select(static fault => fault.From)];
    }

    /// <summary>Raised when connections are to be closed; on an engine's thread.</summary>
    public event Action? Disconnecting;

    private TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>How often each kind of fault happened.</summary>
    public long Count(FaultKind kind) => Interlocked.Read(ref _counts[(int)kind]);

    /// <summary>Whether engines are not to look at a queue now.</summary>
    public bool IsStalled(int queue)
    {
        TimeSpan now = Now;
        foreach (Fault fault in _plan.Faults)
        {
            if (fault.Kind == FaultKind.Stall && fault.IsAt(now) && fault.Concerns(queue))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How much longer than it did something has to take.</summary>
    public TimeSpan ExtraTime(TimeSpan taken)
    {
        TimeSpan now = Now;
        double factor = _plan.Faults.Where(fault => fault.Kind == FaultKind.Slow && fault.IsAt(now)).Aggregate(1.0, static (product, fault) => product * fault.Factor);
        return taken * (factor - 1);
    }

    /// <summary>Completes an operation, or does to it what the plan says.</summary>
    /// <param name="operation">As it was fetched.</param>
    /// <param name="error">What the engine found.</param>
    /// <param name="output">What the engine computed; modulus-sized, big-endian. May be changed.</param>
    /// <returns>What became of it; null when it is kept back, or for ever.</returns>
    public CompletionOutcome? Complete(in FetchedOperation operation, HpreError error, Span<byte> output)
    {
        lock (_gate)
        {
            Fault? fault = Choose(operation.Queue.Number);
            byte[] result = output.ToArray();
            switch (fault?.Kind)
            {
                case FaultKind.Drop:
                    break;
                case FaultKind.Wrong:
                    output[_random.Next(output.Length)] ^= (byte)_random.Next(1, 256);
                    break;
                case FaultKind.Zero:
                    output.Clear();
                    break;
                case FaultKind.Swap when _previous.Length == output.Length:
                    _previous.CopyTo(output);
                    break;
                case FaultKind.Error:
                    error = (HpreError)fault.Status;
                    break;
                case FaultKind.Delay:
                    _held.Add(new HeldResult(operation, error, (byte[])result.Clone(), Now + TimeSpan.FromSeconds(fault.Seconds)));
                    break;
            }

            CryptographicOperations.ZeroMemory(_previous);
            _previous = result;
            if (fault is not null)
            {
                Interlocked.Increment(ref _counts[(int)fault.Kind]);
            }

            return fault?.Kind is FaultKind.Drop or FaultKind.Delay ? null : operation.Queue.Complete(operation, error, output);
        }
    }

    /// <summary>Completes what was kept back long enough, and lets happen what is due. Returns how many operations were completed.</summary>
    public int Step(IEnumerable<VirtualQueue> queues)
    {
        lock (_gate)
        {
            TimeSpan now = Now;
            for (int i = 0; i < _plan.Faults.Count; i++)
            {
                Fault fault = _plan.Faults[i];
                if (fault.Kind is (FaultKind.Reset or FaultKind.Disconnect) && fault.IsAt(now) && now.TotalSeconds >= _nextEvent[i])
                {
                    _nextEvent[i] = fault.Seconds > 0 ? now.TotalSeconds + fault.Seconds : double.PositiveInfinity;
                    Happen(fault, queues);
                }
            }

            int due = 0;
            for (int i = 0; i < _held.Count;)
            {
                if (_held[i].Due > now)
                {
                    i++;
                    continue;
                }

                HeldResult held = _held[i];
                _held.RemoveAt(i);
                held.Operation.Queue.Complete(held.Operation, held.Error, held.Output);
                CryptographicOperations.ZeroMemory(held.Output);
                due++;
            }

            return due;
        }
    }

    /// <summary>Zeroes results that were kept back. No engine asks any more.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _held.ForEach(static held => CryptographicOperations.ZeroMemory(held.Output));
            _held.Clear();
            CryptographicOperations.ZeroMemory(_previous);
        }

        string counts = string.Join(", ", Enum.GetValues<FaultKind>().Where(kind => Count(kind) > 0).Select(kind => $"{kind.ToString().ToLowerInvariant()} {Count(kind)}"));
        _logger.FaultsInjected(counts.Length > 0 ? counts : "none");
    }

    /// <summary>The first fault of the plan that happens to this operation.</summary>
    private Fault? Choose(int queue)
    {
        TimeSpan now = Now;
        foreach (Fault fault in _plan.Faults)
        {
            if (fault.IsPerOperation && fault.IsAt(now) && fault.Concerns(queue) && _random.NextDouble() < fault.Probability)
            {
                return fault;
            }
        }

        return null;
    }

    private void Happen(Fault fault, IEnumerable<VirtualQueue> queues)
    {
        Interlocked.Increment(ref _counts[(int)fault.Kind]);
        if (fault.Kind == FaultKind.Disconnect)
        {
            Disconnecting?.Invoke();
            return;
        }

        foreach (VirtualQueue queue in queues.Where(queue => fault.Concerns(queue.Number)))
        {
            queue.GiveUp();
        }
    }

    private readonly record struct HeldResult(FetchedOperation Operation, HpreError Error, byte[] Output, TimeSpan Due);
}
