using System.Diagnostics;
using System.Text.Json;
using WarpProxy.Offload;

namespace WarpProxy.Live;

/// <summary>
/// Looks once a second, whether anybody watches or not: keeps the history, and tells those who watch. There is one for a process; each viewer costs no more than
/// the bytes that it is sent.
/// </summary>
internal sealed class LiveSampler : IDisposable
{
    // Latencies of charts are those of so many seconds: one alone may have no handshake.
    private const int ChartSeconds = 10;

    // What words stand on is five minutes, kept in steps.
    private const int WindowStepSeconds = 10;
    private const int WindowSteps = 30;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly HandshakeStatistics? _statistics;
    private readonly Func<LiveState> _readState;
    private readonly Func<EngineUse, bool> _readEngines;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();

    // Under the gate.
    private readonly LiveHistory _history = new();
    private readonly SnapshotRing _seconds = new(ChartSeconds - 1);
    private readonly SnapshotRing _window = new(WindowSteps);
    private readonly StatisticsSnapshot _now = new();
    private readonly StatisticsSnapshot _before = new();
    private readonly StatisticsSnapshot _difference = new();
    private readonly uint[] _durations = new uint[DurationHistogram.BucketCount];
    private readonly long _begun;
    private LiveSample _sample;
    private long _ticks;
    private bool _hasFailed;
    private ITimer? _timer;

    /// <summary>Begins when <see cref="Start"/> is called.</summary>
    /// <param name="statistics">What handshakes did; null: that is not kept.</param>
    /// <param name="readState">How the proxy is.</param>
    /// <param name="readEngines">Reads what the embedded device used; false when it cannot be told now.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told when it cannot look.</param>
    public LiveSampler(HandshakeStatistics? statistics, Func<LiveState> readState, Func<EngineUse, bool> readEngines, TimeProvider time, ILogger<LiveSampler> logger)
    {
        _statistics = statistics;
        _readState = readState;
        _readEngines = readEngines;
        _time = time;
        _logger = logger;
        _begun = time.GetTimestamp();
    }

    /// <summary>Those who watch.</summary>
    public LiveFeed Feed { get; } = new();

    /// <summary>Looks every second from now on.</summary>
    public void Start()
    {
        lock (_gate)
        {
            Read(_readState());
            _before.CopyFrom(_now);
            _seconds.Begin(_now);
            _window.Begin(_now);
            _timer ??= _time.CreateTimer(_ => Tick(), null, Interval, Interval);
        }
    }

    /// <summary>What a page that is opened needs first: the past, and this moment.</summary>
    public (byte[] History, byte[] Now) ReadAll()
    {
        lock (_gate)
        {
            return (Event("history", _history.Columns()), MakeEvent(_readState()));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Feed.Dispose();
        lock (_gate)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Tick()
    {
        // One look at a time: where one takes longer than a second, the next is left out.
        if (!_gate.TryEnter())
        {
            return;
        }

        try
        {
            if (_timer is not null)
            {
                Look();
            }
        }
#pragma warning disable CA1031 // Whatever is wrong with a look, the proxy goes on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (!_hasFailed)
            {
                _hasFailed = true;
                _logger.LiveLookFailed(exception);
            }
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void Look()
    {
        _ticks++;
        bool keepsMoment = _ticks % WindowStepSeconds == 0;
        LiveState? state = keepsMoment || Feed.ViewerCount > 0 ? _readState() : null;
        Read(state);
        _sample = MakeSample();
        _history.Add(_sample);
        _before.CopyFrom(_now);
        _seconds.Add(_now);
        if (keepsMoment)
        {
            _window.Add(_now);
        }

        if (_ticks % (long)SlowestBoard.SliceTime.TotalSeconds == 0)
        {
            _statistics?.Slowest.Turn();
        }

        if (state is not null && Feed.ViewerCount > 0)
        {
            Feed.Publish(MakeEvent(state));
        }
    }

    private void Read(LiveState? state)
    {
        _now.Time = _time.GetTimestamp();
        _statistics?.CopyTo(_now);
        _readEngines(_now.Engines);
        if (state is not null)
        {
            _now.Fallbacks = state.Status.Operations.Fallback;
            _now.Refusals = LiveDocument.ReadRefusals(state.Status);
        }
    }

    private LiveSample MakeSample()
    {
        double seconds = Math.Max(_time.GetElapsedTime(_before.Time, _now.Time).TotalSeconds, 0.001);
        double Rate(long before, long now) => Math.Round((now - before) / seconds, 1);
        _difference.SetDifference(_seconds.Oldest, _now);
        (double? deviceP50, double? deviceP99) = Percentiles(isOnDevice: true);
        (double? softwareP50, double? softwareP99) = Percentiles(isOnDevice: false);
        return new LiveSample(
            _time.GetUtcNow().ToUnixTimeSeconds(),
            Rate(_before.CountOf(true), _now.CountOf(true)),
            Rate(_before.CountOf(false), _now.CountOf(false)),
            Rate(_before.Others, _now.Others),
            deviceP50,
            deviceP99,
            softwareP50,
            softwareP99);
    }

    private (double? P50, double? P99) Percentiles(bool isOnDevice)
    {
        _difference.SumDurations(isOnDevice, _durations);
        return (Milliseconds(DurationHistogram.Percentile(_durations, 0.5)), Milliseconds(DurationHistogram.Percentile(_durations, 0.99)));
    }

    private static double? Milliseconds(double? microseconds) => microseconds is { } time ? Math.Round(time / 1000, 3) : null;

    private byte[] MakeEvent(LiveState state)
    {
        _difference.SetDifference(_window.Oldest, _now);
        return Event("now", LiveDocument.Of(
            state, _difference, _now, _sample, _statistics?.Slowest.Read(Stopwatch.GetTimestamp()) ?? [], _time.GetUtcNow(), _time.GetElapsedTime(_begun), _statistics is not null));
    }

    // https://html.spec.whatwg.org/multipage/server-sent-events.html: JSON has no line break that would end the field.
    private static byte[] Event<T>(string name, T data)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(data, JsonSerializerOptions.Web);
        return [.. "event: "u8, .. System.Text.Encoding.ASCII.GetBytes(name), .. "\ndata: "u8, .. json, .. "\n\n"u8];
    }
}
