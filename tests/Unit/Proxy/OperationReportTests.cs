using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class OperationReportTests
{
    private readonly List<string> _lines = [];
    private readonly ManualTime _time = new();
    private OperationSnapshot _operations = OperationSnapshot.Empty;

    [Fact]
    public void Line_a_minute_says_what_came_since_the_last()
    {
        using OperationReport report = Start();
        _operations = new OperationSnapshot(10, 3, new Dictionary<string, long> { ["deadline"] = 2, ["busy"] = 1 });
        _time.Advance(TimeSpan.FromSeconds(60));
        _operations = new OperationSnapshot(15, 5, new Dictionary<string, long> { ["deadline"] = 4, ["busy"] = 1 });
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(
            [
                "Operations since the last line: device 10, software 3 (busy 1, deadline 2)",
                "Operations since the last line: device 5, software 2 (deadline 2)",
            ],
            _lines);
    }

    [Fact]
    public void Nothing_is_said_when_nothing_was_done()
    {
        using OperationReport report = Start();
        _operations = new OperationSnapshot(1, 0, new Dictionary<string, long>());
        _time.Advance(TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Single(_lines);
    }

    private OperationReport Start()
    {
        return new OperationReport(() => _operations, _time, new ListLogger(_lines));
    }

    private sealed class ListLogger(List<string> lines) : ILogger<OperationReport>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Add(formatter(state, exception));
    }
}
