namespace WarpProxy.Hosting;

/// <summary>The log on the console, one line an event.</summary>
internal static class ConsoleLog
{
    /// <summary>Makes it; section <c>Logging</c> is stronger than the levels here.</summary>
    public static ILoggerFactory Create(IConfiguration configuration) => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(LogLevel.Information)
        .AddFilter("Microsoft", LogLevel.Warning)
        // What keeps a host from starting reaches Program.cs as an exception, and the user as a sentence; this would tell it as well, with
        // its stack trace.
        .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
        // YARP's session affinity brings data protection along, which warns at each start of keys that are kept unencrypted.
        .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
        .AddFilter("System", LogLevel.Warning)
        .AddFilter("Yarp", LogLevel.Warning)
        .AddConfiguration(configuration.GetSection(LoggingOptions.Section))
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
        }));
}
