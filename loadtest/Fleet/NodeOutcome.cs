using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>How the clients of a simulated node fared.</summary>
internal sealed record NodeOutcome
{
    /// <summary>Clients that came.</summary>
    public required long Offered { get; init; }

    /// <summary>Until the last one was done.</summary>
    public required double Seconds { get; init; }

    /// <summary>Handshakes that were completed.</summary>
    public required long Served { get; init; }

    /// <summary>Clients that were not let in, or waited too long.</summary>
    public required long Refused { get; init; }

    /// <summary>Handshakes with a private-key operation.</summary>
    public required long FullHandshakes { get; init; }

    /// <summary>Private-key operations that a device computed in time.</summary>
    public required long ByDevice { get; init; }

    /// <summary>Private-key operations that software computed.</summary>
    public required long BySoftware { get; init; }

    /// <summary>Of those by software: given to a device, which did not answer before the deadline.</summary>
    public required long Overdue { get; init; }

    /// <summary>Of those by software: all queues were taken.</summary>
    public required long Overflow { get; init; }

    /// <summary>From the arrival until the client was done, the client's own time included; without the first tenth.</summary>
    public required LatencyHistogram Latency { get; init; }

    /// <summary>Of all that were served, in microseconds, without the client's own time.</summary>
    public required double MeanLatency { get; init; }

    /// <summary>Handshakes that had come and were not done, on average over time.</summary>
    public required double MeanInside { get; init; }

    /// <summary>Of the proxy's processors: the share of the time that they worked.</summary>
    public required double ProcessorBusy { get; init; }

    /// <summary>The same of the engines.</summary>
    public required double EngineBusy { get; init; }

    /// <summary>Operations computed together, on average.</summary>
    public required double MeanBatch { get; init; }

    /// <summary>Of the proxy's processors, in microseconds: engines included where they have no processors of their own.</summary>
    public required double ProcessorTimePerHandshake { get; init; }

    /// <summary>Handshakes that were completed per second.</summary>
    public double PerSecond => Seconds == 0 ? 0 : Served / Seconds;

    /// <summary>Share of the private-key operations.</summary>
    public double DeviceShare => FullHandshakes == 0 ? 0 : (double)ByDevice / FullHandshakes;

    /// <summary>Share of the clients.</summary>
    public double RefusedShare => (double)Refused / Offered;

    /// <summary>Milliseconds that half of the clients did not wait longer than.</summary>
    public double P50 => Latency.ValueAt(50) / 1e6;

    /// <summary>Milliseconds that 99 % of the clients did not wait longer than.</summary>
    public double P99 => Latency.ValueAt(99) / 1e6;
}
