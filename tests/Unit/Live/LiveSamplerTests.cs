using System.Text;
using System.Text.Json;
using WarpProxy.Live;
using WarpProxy.Telemetry;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Live;

/// <summary>The look of every second, with a clock that is moved by hand.</summary>
public sealed class LiveSamplerTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();
    private readonly HandshakeStatistics _statistics = new();
    private readonly RecordedLog<LiveSampler> _log = new();
    private readonly LiveSampler _sampler;
    private Func<LiveState> _readState = () => LiveStates.Make();
    private int _reads;

    public LiveSamplerTests()
    {
        _sampler = new LiveSampler(
            _statistics,
            () =>
            {
                _reads++;
                return _readState();
            },
            static _ => true,
            _time,
            _log);
        _sampler.Start();
    }

    public void Dispose() => _sampler.Dispose();

    [Fact]
    public void Page_that_is_opened_late_shows_the_past()
    {
        Handshakes(HandshakePath.Device, 7);
        _time.Advance(Second);
        Handshakes(HandshakePath.Software, 3);
        _time.Advance(Second);
        _time.Advance(Second);
        double?[][] columns = ReadHistory();
        Assert.Equal(8, columns.Length);
        Assert.Equal([7, 0, 0], columns[1]);
        Assert.Equal([0, 3, 0], columns[2]);
        Assert.Equal([1, 1], columns[0].Zip(columns[0].Skip(1), static (one, next) => (next - one)!.Value));
        Assert.Equal([null, 2], columns[5].Select(static value => value is { } time ? Math.Round(time) : (double?)null).Take(2));
        Assert.All(columns[4], static value => Assert.InRange(value!.Value, 1.7, 2.3));
    }

    [Fact]
    public void No_more_than_ten_minutes_are_kept()
    {
        for (int i = 0; i < LiveHistory.Capacity + 5; i++)
        {
            _time.Advance(Second);
        }

        double?[][] columns = ReadHistory();
        Assert.All(columns, static column => Assert.Equal(LiveHistory.Capacity, column.Length));
        Assert.Equal(LiveHistory.Capacity - 1, columns[0][^1] - columns[0][0]);
    }

    [Fact]
    public void Latency_of_a_chart_is_that_of_ten_seconds()
    {
        Handshakes(HandshakePath.Device, 1);
        for (int i = 0; i < 12; i++)
        {
            _time.Advance(Second);
        }

        Assert.Equal([true, true, true, true, true, true, true, true, true, true, false, false], ReadHistory()[4].Select(static value => value is not null));
    }

    [Fact]
    public async Task Everybody_who_watches_gets_each_second()
    {
        Assert.True(_sampler.Feed.TryEnter());
        Assert.True(_sampler.Feed.TryEnter());
        (Task<byte[]> one, Task<byte[]> other) = (_sampler.Feed.Next, _sampler.Feed.Next);
        Handshakes(HandshakePath.Device, 2);
        _time.Advance(Second);
        Assert.Same(await one, await other);
        using JsonDocument live = Data(await one, "now");
        Assert.Equal(2, live.RootElement.GetProperty("sample")[1].GetDouble());
        Assert.Equal(2, live.RootElement.GetProperty("comparison").GetProperty("device").GetProperty("count").GetInt64());
        Assert.Equal("device", live.RootElement.GetProperty("readiness").GetProperty("path").GetString());
        Assert.Equal((3, 16), (live.RootElement.GetProperty("work").GetProperty("lanesBusy").GetInt32(), live.RootElement.GetProperty("work").GetProperty("lanes").GetInt32()));
        Assert.Equal(2, live.RootElement.GetProperty("slowest").GetArrayLength());
        Assert.False(_sampler.Feed.Next.IsCompleted);
    }

    [Fact]
    public void Without_viewers_the_state_is_looked_at_ten_times_less()
    {
        int before = _reads;
        for (int i = 0; i < 100; i++)
        {
            _time.Advance(Second);
        }

        Assert.Equal(10, _reads - before);
    }

    [Fact]
    public void Comparison_is_that_of_five_minutes()
    {
        Handshakes(HandshakePath.Device, 40);
        for (int i = 0; i < 300; i++)
        {
            _time.Advance(Second);
        }

        using (JsonDocument live = ReadNow())
        {
            Assert.Equal(40, live.RootElement.GetProperty("comparison").GetProperty("device").GetProperty("count").GetInt64());
        }

        for (int i = 0; i < 10; i++)
        {
            _time.Advance(Second);
        }

        using (JsonDocument live = ReadNow())
        {
            Assert.Equal(0, live.RootElement.GetProperty("comparison").GetProperty("device").GetProperty("count").GetInt64());
        }
    }

    [Fact]
    public void Fallbacks_are_told_of_the_last_minutes_and_of_all_time()
    {
        _readState = () => LiveStates.Make(fallbacks: 5);
        for (int i = 0; i < 310; i++)
        {
            _time.Advance(Second);
        }

        _readState = () => LiveStates.Make(fallbacks: 7);
        for (int i = 0; i < 10; i++)
        {
            _time.Advance(Second);
        }

        using JsonDocument live = ReadNow();
        Assert.Equal("""[{"reason":"deadline","recent":2,"total":7}]""", live.RootElement.GetProperty("fallbacks").GetRawText());
    }

    [Fact]
    public void Device_that_is_gone_raises_the_alarm()
    {
        _readState = () => LiveStates.Make("quarantined");
        using JsonDocument live = ReadNow();
        Assert.Equal(
            "Nothing is offloaded now: embedded: is quarantined (it did not answer), circuit breaker open. Software computes, and no client notices.", live.RootElement.GetProperty("alarm").GetString());
    }

    [Fact]
    public void Look_that_fails_is_told_once_and_the_next_ones_go_on()
    {
        Assert.True(_sampler.Feed.TryEnter());
        _readState = static () => throw new InvalidOperationException("out of order");
        _time.Advance(Second);
        _time.Advance(Second);
        Assert.Single(_log.Take());
        _readState = () => LiveStates.Make();
        Task<byte[]> next = _sampler.Feed.Next;
        _time.Advance(Second);
        Assert.True(next.IsCompletedSuccessfully);
    }

    [Fact]
    public void Pages_are_bounded()
    {
        for (int i = 0; i < LiveFeed.MaxViewers; i++)
        {
            Assert.True(_sampler.Feed.TryEnter());
        }

        Assert.False(_sampler.Feed.TryEnter());
        _sampler.Feed.Leave();
        Assert.True(_sampler.Feed.TryEnter());
        Assert.Equal(LiveFeed.MaxViewers, _sampler.Feed.ViewerCount);
    }

    [Fact]
    public void Disposed_sampler_ends_all_streams_and_looks_no_more()
    {
        CancellationToken ended = _sampler.Feed.Ended;
        _sampler.Dispose();
        Assert.True(ended.IsCancellationRequested);
        int before = _reads;
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(before, _reads);
    }

    private static JsonDocument Data(byte[] message, string name)
    {
        string text = Encoding.UTF8.GetString(message);
        Assert.StartsWith($"event: {name}\ndata: ", text, StringComparison.Ordinal);
        Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
        Assert.Equal(4, text.Count(static character => character == '\n') + 1);
        return JsonDocument.Parse(text[(text.IndexOf("data: ", StringComparison.Ordinal) + 6)..]);
    }

    private void Handshakes(string path, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _statistics.Record(LiveHandshakes.Make(path, 1, 1));
        }
    }

    private double?[][] ReadHistory()
    {
        using JsonDocument history = Data(_sampler.ReadAll().History, "history");
        return history.Deserialize<double?[][]>()!;
    }

    private JsonDocument ReadNow() => Data(_sampler.ReadAll().Now, "now");
}
