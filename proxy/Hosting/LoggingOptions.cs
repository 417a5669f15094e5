namespace WarpProxy.Hosting;

/// <summary>Section <c>Logging</c>, as .NET has it: what is logged. The console is where it goes.</summary>
internal sealed record LoggingOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Logging";

    /// <summary>The least level that is logged, by the beginning of the category's name; <c>Default</c> is for all others.</summary>
    public IReadOnlyDictionary<string, LogLevel> LogLevel { get; init; } = new Dictionary<string, LogLevel>();

    /// <summary>What is for the console alone.</summary>
    public ConsoleLogOptions? Console { get; init; }
}
