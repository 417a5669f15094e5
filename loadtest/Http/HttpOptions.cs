using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Http;

/// <summary>What to measure.</summary>
internal sealed class HttpOptions
{
    /// <summary>Requests under way at the same time, unless an open loop needs more.</summary>
    public const int DefaultConcurrency = 32;

    /// <summary>The limit of requests under way in an open loop.</summary>
    public const int DefaultOpenLoopConcurrency = 1000;

    /// <summary>How many requests share one HTTP/2 connection.</summary>
    public const int DefaultStreams = 8;

    /// <summary>The same in an open loop: as many as servers take (RFC 9113 6.5.2 recommends at least 100).</summary>
    public const int DefaultOpenLoopStreams = 100;

    public required LoadTarget Target { get; init; }

    public bool IsHttp2 { get; init; }

    /// <summary>Whether each request has a connection of its own.</summary>
    public bool IsNewConnectionEach { get; init; }

    /// <summary>Of all threads together.</summary>
    public int Connections { get; init; } = DefaultConcurrency;

    /// <summary>Requests under way at the same time on one connection; more than 1 with HTTP/2 only.</summary>
    public int Streams { get; init; } = 1;

    /// <summary>Requests per second in an open loop; null for a closed loop.</summary>
    public double? Rate { get; init; }

    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Warmup { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>For HTTP/1.1 only.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>The longest that one request may take, from its real start.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    public RequestShape Request { get; init; } = new();

    /// <summary>Versions, trust and application protocol; not for http URLs.</summary>
    public TlsClientOptions Tls { get; init; } = new();
}
