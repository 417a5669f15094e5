using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Http;

/// <summary>What one thread of <c>http</c> has measured.</summary>
internal sealed class HttpCounters
{
    private const int Classes = 6;

    private readonly long[] _statuses = new long[Classes];

    /// <summary>Requests: latency from the intended start to the end of the response.</summary>
    public LoadCounters Load { get; } = new();

    /// <summary>Connections that were opened in the measured time.</summary>
    public long Connections { get; set; }

    /// <summary>Bytes of HTTP (heads, bodies, frames; without TLS) in the measured time.</summary>
    public long BytesSent { get; set; }

    /// <summary>As <see cref="BytesSent"/>.</summary>
    public long BytesReceived { get; set; }

    /// <summary>How many connections the server did not end in time, after the response was there.</summary>
    public long Cut { get; set; }

    /// <summary>How many responses had a status of each class that occurred: <c>2xx</c>.</summary>
    public IReadOnlyDictionary<string, long> Statuses =>
        Enumerable.Range(1, Classes - 1).Where(index => _statuses[index] > 0).ToDictionary(static index => $"{index}xx", index => _statuses[index]);

    /// <summary>How many responses had a status of 4xx or 5xx.</summary>
    public long Refused => _statuses[4] + _statuses[5];

    /// <summary>Counts a response.</summary>
    /// <param name="status">100 to 599.</param>
    public void CountStatus(int status) => _statuses[status / 100]++;

    /// <summary>The sum over threads that have ended; without <see cref="Load"/>, which a run sums up.</summary>
    public static HttpCounters Sum(IReadOnlyList<HttpCounters> threads)
    {
        var sum = new HttpCounters();
        foreach (HttpCounters thread in threads)
        {
            sum.Connections += thread.Connections;
            sum.BytesSent += thread.BytesSent;
            sum.BytesReceived += thread.BytesReceived;
            sum.Cut += thread.Cut;
            for (int i = 0; i < Classes; i++)
            {
                sum._statuses[i] += thread._statuses[i];
            }
        }

        return sum;
    }
}
