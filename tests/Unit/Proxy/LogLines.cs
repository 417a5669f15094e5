using System.Collections.Concurrent;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>What was logged: <c>Warning: ...</c>.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public ILogger CreateLogger(string categoryName) => this;

    public ILogger<T> Of<T>() => new Logger<T>(this);

    /// <summary>The lines since the last time.</summary>
    public string[] Take()
    {
        List<string> lines = [];
        while (_lines.TryDequeue(out string? line))
        {
            lines.Add(line);
        }

        return [.. lines];
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}");
}
