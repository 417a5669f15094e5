using System.Globalization;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>
/// What one handshake costs, measured: processor time of the proxy's steps, of the private-key operation in software, and of batches on an engine of the
/// device. All in microseconds. What is drawn from them varies by <see cref="Spread"/>.
/// </summary>
internal sealed record ServiceTimes
{
    /// <summary>What they are of: <c>RSA-2048</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Before the private-key operation: the connection, the ClientHello, the key exchange.</summary>
    public required double Before { get; init; }

    /// <summary>From the signature to the moment when the client is done.</summary>
    public required double After { get; init; }

    /// <summary>What follows when the client is done already: tickets, closing.</summary>
    public required double Rest { get; init; }

    /// <summary>All of a handshake that resumes a session.</summary>
    public required double Resumed { get; init; }

    /// <summary>
    /// More, for a handshake that finds a processor idle: it wakes threads, and what it needs is in no cache. So a proxy with little to do needs more time for a handshake than one with
    /// much.
    /// </summary>
    public double Cold { get; init; }

    /// <summary>The private-key operation by OpenSSL.</summary>
    public required double Software { get; init; }

    /// <summary>Host processor time that handing an operation to a device costs: ring, wake-ups, fault check.</summary>
    public double Offload { get; init; }

    /// <summary>Time, but nobody's processor time, that the way to the device and back takes.</summary>
    public double Detour { get; init; }

    /// <summary>One operation by an engine that computes one at a time.</summary>
    public double Scalar { get; init; }

    /// <summary>Up to half as many operations as the engine has lanes, together.</summary>
    public double HalfPass { get; init; }

    /// <summary>As many operations as the engine has lanes, together.</summary>
    public double FullPass { get; init; }

    /// <summary>The most operations that an engine computes together; 0: no device takes such keys, 1: one at a time.</summary>
    public int EngineLanes { get; init; }

    /// <summary>What a client waits besides: its own work and the way to the proxy.</summary>
    public double Client { get; init; }

    /// <summary>Standard deviation of each time, as a share of it; 0: always the same, 1: exponentially distributed.</summary>
    public double Spread { get; init; }

    /// <summary>Whether a device can compute with such keys.</summary>
    public bool HasDevice => EngineLanes > 0;

    /// <summary>Processor time of a whole full handshake in software.</summary>
    public double SoftwareHandshake => Before + Software + After + Rest;

    /// <summary>What is wrong with them; null: nothing.</summary>
    public string? FindProblem()
    {
        (string Name, double Value)[] times =
        [
            ("before", Before), ("after", After), ("rest", Rest), ("resumed", Resumed), ("cold", Cold), ("software", Software), ("offload", Offload), ("detour", Detour),
            ("scalar", Scalar), ("halfPass", HalfPass), ("fullPass", FullPass), ("client", Client),
        ];
        foreach ((string name, double value) in times)
        {
            if (!(value >= 0 && value <= 1e9))
            {
                return string.Create(CultureInfo.InvariantCulture, $"{Key}: {name} is {value} microseconds; it must be between 0 and 1000000000.");
            }
        }

        if (!(Spread >= 0 && Spread <= 3))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Key}: spread is {Spread}; it must be between 0 and 3.");
        }

        if (EngineLanes is < 0 or > 64 || (EngineLanes > 1 && EngineLanes % 2 != 0))
        {
            return $"{Key}: engineLanes is {EngineLanes}; it must be 0, 1, or an even number up to 64.";
        }

        if (EngineLanes > 0 && Scalar == 0)
        {
            return $"{Key}: scalar is 0; a device with engines must need some time for an operation.";
        }

        return EngineLanes > 1 && (HalfPass == 0 || FullPass == 0)
            ? $"{Key}: halfPass and fullPass must be above 0 where engineLanes is {EngineLanes}."
            : null;
    }
}
