using System.Globalization;
using System.Net;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Http;

/// <summary>What <c>http --json</c> prints; the fields are described in loadtest/README.md.</summary>
internal sealed record HttpResult
{
    public required string Url { get; init; }

    public required string Address { get; init; }

    /// <summary><c>1.1</c> or <c>2</c>.</summary>
    public required string Http { get; init; }

    /// <summary>What the first connection agreed on; null, and the next four with it, without TLS.</summary>
    public required string? Tls { get; init; }

    public required string? Cipher { get; init; }

    public required string? Group { get; init; }

    public required string? KeyType { get; init; }

    public required int? KeyBits { get; init; }

    public required bool IsVerified { get; init; }

    public required string Method { get; init; }

    /// <summary>Null without a body.</summary>
    public required long? BodyBytes { get; init; }

    public required bool IsNewConnectionEach { get; init; }

    /// <summary><c>closed</c> or <c>open</c>.</summary>
    public required string Loop { get; init; }

    public required double? RatePerSecond { get; init; }

    public required int Connections { get; init; }

    public required int Streams { get; init; }

    public required int Threads { get; init; }

    public required double WarmupSeconds { get; init; }

    /// <summary>Really measured: less than was asked for when interrupted.</summary>
    public required double Seconds { get; init; }

    public required bool IsInterrupted { get; init; }

    /// <summary>Those with a response, whatever its status.</summary>
    public required long Requests { get; init; }

    public required double RequestsPerSecond { get; init; }

    public required IReadOnlyDictionary<string, long> Statuses { get; init; }

    public required LatencySummary Latency { get; init; }

    /// <summary>Null in a closed loop.</summary>
    public required LatencySummary? StartDelay { get; init; }

    public required double BytesReceivedPerSecond { get; init; }

    public required double BytesSentPerSecond { get; init; }

    public required long ConnectionsOpened { get; init; }

    public required long ErrorCount { get; init; }

    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    public required long Unfinished { get; init; }

    public required long Cut { get; init; }

    /// <summary>Of the whole process; null when nothing was completed.</summary>
    public required double? ClientCpuMicrosecondsPerRequest { get; init; }

    /// <summary>Of the busiest thread; with HTTP/2 of all processors that the client may use.</summary>
    public required double ClientBusyShare { get; init; }

    /// <summary>Null with HTTP/2, whose client has many threads.</summary>
    public required double? ClientWaitingShare { get; init; }

    /// <summary>Sentences about what makes the numbers doubtful.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public required IReadOnlyList<LoadSecond> Timeline { get; init; }

    public static HttpResult Of(
        HttpOptions options, (IPEndPoint Address, ProbedServer? Tls) server, LoadMeasurement measured, HttpCounters counters, bool isInterrupted)
    {
        long completed = measured.Counters.Completed;
        bool isOpen = options.Rate is not null;
        return new HttpResult
        {
            Url = options.Target.Url.ToString(),
            Address = server.Address.ToString(),
            Http = options.IsHttp2 ? "2" : "1.1",
            Tls = server.Tls?.Tls,
            Cipher = server.Tls?.Cipher,
            Group = server.Tls?.Group,
            KeyType = server.Tls?.KeyType,
            KeyBits = server.Tls?.KeyBits,
            IsVerified = server.Tls is not null && options.Tls.TrustedFile is not null,
            Method = options.Request.Method,
            BodyBytes = options.Request.BodyBytes,
            IsNewConnectionEach = options.IsNewConnectionEach,
            Loop = isOpen ? "open" : "closed",
            RatePerSecond = options.Rate,
            Connections = options.Connections,
            Streams = options.Streams,
            Threads = options.Threads,
            WarmupSeconds = options.Warmup.TotalSeconds,
            Seconds = measured.Seconds,
            IsInterrupted = isInterrupted,
            Requests = completed,
            RequestsPerSecond = PerSecond(completed),
            Statuses = counters.Statuses,
            Latency = LatencySummary.Of(measured.Counters.Latency),
            StartDelay = isOpen ? LatencySummary.Of(measured.Counters.StartDelay) : null,
            BytesReceivedPerSecond = PerSecond(counters.BytesReceived),
            BytesSentPerSecond = PerSecond(counters.BytesSent),
            ConnectionsOpened = counters.Connections,
            ErrorCount = measured.Counters.Errors.Total,
            Errors = measured.Counters.Errors.ByKind(),
            Unfinished = measured.Counters.Unfinished,
            Cut = counters.Cut,
            ClientCpuMicrosecondsPerRequest = completed == 0 ? null : measured.Usage.CpuSeconds * 1e6 / completed,
            ClientBusyShare = measured.Usage.BusyShare,
            ClientWaitingShare = options.IsHttp2 ? null : measured.Usage.WaitingShare,
            Warnings = [.. WarningsOf(options, measured, counters, isInterrupted)],
            Timeline = measured.Timeline,
        };

        double PerSecond(long count) => measured.Seconds > 0 ? count / measured.Seconds : 0;
    }

    private static IEnumerable<string> WarningsOf(HttpOptions options, LoadMeasurement measured, HttpCounters counters, bool isInterrupted)
    {
        if (isInterrupted && measured.Seconds == 0)
        {
            yield return "Interrupted in the warm-up: nothing was measured.";
        }

        if (options.IsHttp2 && measured.Usage.BusyShare > ClientUsage.SaturatedShare)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"The client used {measured.Usage.BusyShare:P0} of its processors: these numbers are the client's limit, not the server's. ")
                + "Give it more processors, or use --http 1.1, whose client is cheaper.";
        }
        else if (measured.Usage.Warning() is string saturated)
        {
            yield return saturated;
        }

        if (counters.Refused > 0)
        {
            yield return $"{counters.Refused} of {measured.Counters.Completed} responses had a status of 4xx or 5xx: "
                + "an error page may cost the server less, or more, than what was asked for.";
        }

        if (options.Rate is not null && measured.Counters.Unfinished > 0)
        {
            yield return $"{measured.Counters.Unfinished} requests that were due had no response when the run ended; "
                + "they count with their waiting so far, so the high percentiles are too low.";
        }
    }
}
