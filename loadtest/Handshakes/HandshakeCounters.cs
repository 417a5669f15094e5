using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>What one thread of <c>handshakes</c> has measured.</summary>
internal sealed class HandshakeCounters
{
    /// <summary>Handshakes: latency from the intended start to the end of the handshake.</summary>
    public LoadCounters Load { get; } = new();

    /// <summary>From the intended start to the end of the response.</summary>
    public LatencyHistogram Response { get; } = new();

    /// <summary>How many of the completed handshakes resumed a session.</summary>
    public long Resumed { get; set; }

    /// <summary>How many connections the server did not end in time, after all that was wanted was there.</summary>
    public long Cut { get; set; }

    /// <summary>The sum over threads that have ended.</summary>
    public static HandshakeCounters Sum(IReadOnlyList<HandshakeCounters> threads)
    {
        var sum = new HandshakeCounters();
        foreach (HandshakeCounters thread in threads)
        {
            sum.Response.Add(thread.Response);
            sum.Resumed += thread.Resumed;
            sum.Cut += thread.Cut;
        }

        return sum;
    }
}
