using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Storm;

/// <summary>What to do.</summary>
internal sealed record StormOptions
{
    public const int DefaultConnections = 5000;

    public required LoadTarget Target { get; init; }

    /// <summary>Connections of the storm.</summary>
    public int Connections { get; init; } = DefaultConnections;

    /// <summary>Connections over HTTP/2 that are there before it.</summary>
    public int Established { get; init; } = 50;

    /// <summary>Requests per second of all established connections together.</summary>
    public double Rate { get; init; } = 500;

    /// <summary>How long the established ones are measured before the storm.</summary>
    public TimeSpan Before { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest that one connection of the storm may take to be served or refused.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the storm's thread takes only what the processors have left, once all its connections are begun.</summary>
    public bool IsYielding { get; init; }

    /// <summary>Processes whose processor time is the clock of the latency of established connections; none: time is.</summary>
    public IReadOnlyList<int> WorkOf { get; init; } = [];

    /// <summary>Of the storm.</summary>
    public TlsVersion Version { get; init; } = TlsVersion.Any;
}
