using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>What <c>handshakes --json</c> prints; the fields are described in loadtest/README.md.</summary>
internal sealed record HandshakesResult
{
    public required string Url { get; init; }

    public required string Address { get; init; }

    /// <summary>What the first connection agreed on.</summary>
    public required string Tls { get; init; }

    public required string Cipher { get; init; }

    public required string? Group { get; init; }

    public required string KeyType { get; init; }

    public required int KeyBits { get; init; }

    public required bool IsVerified { get; init; }

    /// <summary><c>closed</c>, <c>open</c>, or <c>poisson</c>: open, at random times.</summary>
    public required string Loop { get; init; }

    public required double? RatePerSecond { get; init; }

    public required int Connections { get; init; }

    public required int Threads { get; init; }

    public required double WarmupSeconds { get; init; }

    /// <summary>Really measured: less than was asked for when interrupted.</summary>
    public required double Seconds { get; init; }

    public required bool IsInterrupted { get; init; }

    public required long Handshakes { get; init; }

    public required double HandshakesPerSecond { get; init; }

    public required long FullHandshakes { get; init; }

    public required double FullHandshakesPerSecond { get; init; }

    /// <summary>As the connections saw it; 0 when there were none.</summary>
    public required double ResumedShare { get; init; }

    public required LatencySummary Latency { get; init; }

    /// <summary>Null without requests.</summary>
    public required LatencySummary? Response { get; init; }

    /// <summary>Null in a closed loop.</summary>
    public required LatencySummary? StartDelay { get; init; }

    public required long ErrorCount { get; init; }

    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    public required long Unfinished { get; init; }

    public required long Cut { get; init; }

    /// <summary>Of the whole process; null when nothing was completed.</summary>
    public required double? ClientCpuMicrosecondsPerHandshake { get; init; }

    /// <summary>By the load threads, managed; null when nothing was completed.</summary>
    public required double? ClientAllocatedBytesPerHandshake { get; init; }

    public required double ClientBusyShare { get; init; }

    public required double ClientWaitingShare { get; init; }

    /// <summary>Sentences about what makes the numbers doubtful.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    public required IReadOnlyList<LoadSecond> Timeline { get; init; }

    public static HandshakesResult Of(
        HandshakesOptions options, ProbedServer server, LoadMeasurement measured, HandshakeCounters counters, bool isInterrupted)
    {
        long completed = measured.Counters.Completed;
        long full = completed - counters.Resumed;
        bool isOpen = options.Rate is not null;
        return new HandshakesResult
        {
            Url = options.Target.Url.ToString(),
            Address = server.Address.ToString(),
            Tls = server.Tls,
            Cipher = server.Cipher,
            Group = server.Group,
            KeyType = server.KeyType,
            KeyBits = server.KeyBits,
            IsVerified = options.Tls.TrustedFile is not null,
            Loop = !isOpen ? "closed" : options.IsRandom ? "poisson" : "open",
            RatePerSecond = options.Rate,
            Connections = options.Connections,
            Threads = options.Threads,
            WarmupSeconds = options.Warmup.TotalSeconds,
            Seconds = measured.Seconds,
            IsInterrupted = isInterrupted,
            Handshakes = completed,
            HandshakesPerSecond = PerSecond(completed),
            FullHandshakes = full,
            FullHandshakesPerSecond = PerSecond(full),
            ResumedShare = completed == 0 ? 0 : counters.Resumed / (double)completed,
            Latency = LatencySummary.Of(measured.Counters.Latency),
            Response = options.IsRequesting ? LatencySummary.Of(counters.Response) : null,
            StartDelay = isOpen ? LatencySummary.Of(measured.Counters.StartDelay) : null,
            ErrorCount = measured.Counters.Errors.Total,
            Errors = measured.Counters.Errors.ByKind(),
            Unfinished = measured.Counters.Unfinished,
            Cut = counters.Cut,
            ClientCpuMicrosecondsPerHandshake = completed == 0 ? null : measured.Usage.CpuSeconds * 1e6 / completed,
            ClientAllocatedBytesPerHandshake = completed == 0 ? null : measured.AllocatedBytes / (double)completed,
            ClientBusyShare = measured.Usage.BusyShare,
            ClientWaitingShare = measured.Usage.WaitingShare,
            Warnings = [.. WarningsOf(options, measured, isInterrupted)],
            Timeline = measured.Timeline,
        };

        double PerSecond(long count) => measured.Seconds > 0 ? count / measured.Seconds : 0;
    }

    private static IEnumerable<string> WarningsOf(HandshakesOptions options, LoadMeasurement measured, bool isInterrupted)
    {
        if (isInterrupted && measured.Seconds == 0)
        {
            yield return "Interrupted in the warm-up: nothing was measured.";
        }

        if (measured.Usage.Warning() is string saturated)
        {
            yield return saturated;
        }

        if (options.Rate is not null && measured.Counters.Unfinished > 0)
        {
            yield return $"{measured.Counters.Unfinished} connections that were due had no handshake when the run ended; "
                + "they count with their waiting so far, so the high percentiles are too low.";
        }
    }
}
