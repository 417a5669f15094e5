using System.Threading.Channels;
using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpProxy.Tls;

namespace WarpProxy.Offload;

/// <summary>
/// Computes a share of the signatures the other way too, one after the other on a thread that runs when nobody else wants to, and counts whether both
/// ways gave the same bytes. A signature of a handshake waits until the handshake is over; what comes while too many wait is dropped.
/// </summary>
internal sealed class ShadowQueue : IShadowSink, IDisposable
{
    private const int MaxWaiting = 64;
    private const long Whole = 1_000_000;

    private readonly Channel<ShadowOperation> _waiting = Channel.CreateBounded<ShadowOperation>(MaxWaiting);
    private readonly long[] _outcomes = new long[Enum.GetValues<ShadowOutcome>().Length];
    private readonly ILogger _logger;
    private Thread? _thread;        // made when it is first needed
    private long _share;
    private long _sum;
    private long _dropped;
    private int _mismatchWasLogged;

    /// <summary>Computes nothing twice.</summary>
    public ShadowQueue(ILogger<ShadowQueue> logger) => _logger = logger;

    /// <summary>Of the signatures, 0 to 1. Any thread, at any time.</summary>
    public double Share
    {
        get => (double)Volatile.Read(ref _share) / Whole;
        set
        {
            Volatile.Write(ref _share, (long)Math.Round(value * Whole));
            if (value > 0 && Interlocked.CompareExchange(ref _thread, new Thread(Run) { IsBackground = true, Name = "warp-shadow" }, null) is null)
            {
                _thread!.UnsafeStart();
            }
        }
    }

    /// <summary>Those that were not computed twice, since too many waited.</summary>
    public long DroppedCount => Interlocked.Read(ref _dropped);

    /// <summary>Those that were, by what came of it.</summary>
    public long Count(ShadowOutcome outcome) => Interlocked.Read(ref _outcomes[(int)outcome]);

    /// <inheritdoc/>
    public bool IsWanted()
    {
        long share = Volatile.Read(ref _share);
        if (share == 0)
        {
            return false;
        }

        long sum = Interlocked.Add(ref _sum, share);
        return sum / Whole != (sum - share) / Whole;
    }

    /// <inheritdoc/>
    public void Take(ShadowOperation operation)
    {
        if (HandshakeLane.CurrentHandshake is { } handshake)
        {
            handshake.KeepShadow(operation, this);
        }
        else
        {
            Begin(operation);
        }
    }

    /// <summary>The answer has been sent.</summary>
    public void Begin(ShadowOperation operation)
    {
        if (!_waiting.Writer.TryWrite(operation))
        {
            Interlocked.Increment(ref _dropped);
            operation.Drop();
        }
    }

    /// <summary>Ends the thread; what waits is dropped.</summary>
    public void Dispose()
    {
        _waiting.Writer.TryComplete();
        Volatile.Write(ref _share, 0);
        _thread?.Join(TimeSpan.FromSeconds(2));
        while (_waiting.Reader.TryRead(out ShadowOperation? operation))
        {
            operation.Drop();
        }
    }

    private void Run()
    {
        foreach (SchedulingPolicy policy in (ReadOnlySpan<SchedulingPolicy>)[SchedulingPolicy.Batch, SchedulingPolicy.Other])
        {
            _ = ThreadScheduling.TryChange(policy, SchedulingPolicy.Idle, out _);
        }

        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_waiting.Reader.TryRead(out ShadowOperation? operation))
            {
                Compute(operation);
            }
        }
    }

    private void Compute(ShadowOperation operation)
    {
        bool wasOnDevice = operation.WasOnDevice;
        ShadowOutcome outcome = operation.Run();
        Interlocked.Increment(ref _outcomes[(int)outcome]);
        if (outcome == ShadowOutcome.Mismatched && Interlocked.Exchange(ref _mismatchWasLogged, 1) == 0)
        {
            _logger.ShadowMismatched(wasOnDevice ? "a device" : "software");
        }
    }
}
