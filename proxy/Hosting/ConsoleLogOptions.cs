namespace WarpProxy.Hosting;

/// <summary>Section <c>Logging:Console</c>: what is for the console alone.</summary>
internal sealed record ConsoleLogOptions
{
    /// <summary>Levels, stronger than those of <c>Logging:LogLevel</c>.</summary>
    public IReadOnlyDictionary<string, LogLevel> LogLevel { get; init; } = new Dictionary<string, LogLevel>();

    /// <summary>From this level on, lines go to standard error; <c>None</c>: never.</summary>
    public LogLevel LogToStandardErrorThreshold { get; init; } = Microsoft.Extensions.Logging.LogLevel.None;
}
