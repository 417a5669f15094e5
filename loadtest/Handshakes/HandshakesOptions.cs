using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>What to measure.</summary>
internal sealed class HandshakesOptions
{
    /// <summary>Connections that are open at the same time, unless an open loop needs more.</summary>
    public const int DefaultConnections = 32;

    /// <summary>The limit of open connections in an open loop.</summary>
    public const int DefaultOpenLoopConnections = 1000;

    public required LoadTarget Target { get; init; }

    /// <summary>Of all threads together.</summary>
    public int Connections { get; init; } = DefaultConnections;

    /// <summary>Connections per second in an open loop; null for a closed loop.</summary>
    public double? Rate { get; init; }

    /// <summary>Whether connections of an open loop come independently of each other; else at equal intervals.</summary>
    public bool IsRandom { get; init; }

    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Warmup { get; init; } = TimeSpan.FromSeconds(1);

    public int Threads { get; init; } = 1;

    /// <summary>Share of the connections that offer a session, 0 to 1.</summary>
    public double Resume { get; init; }

    /// <summary>Names that the connections ask for in turn.</summary>
    public required IReadOnlyList<TlsServerName> Names { get; init; }

    /// <summary>Whether each connection gets the target's path.</summary>
    public bool IsRequesting { get; init; }

    /// <summary>The longest that one connection may take, from its real start.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    public TlsClientOptions Tls { get; init; } = new();
}
