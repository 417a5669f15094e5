namespace WarpProxy.Live;

/// <summary>One second as charts show it. Rates are handshakes per second, latencies milliseconds; null where there was none.</summary>
/// <param name="Time">Seconds since 1970.</param>
/// <param name="DeviceRate">Whose private-key operation a device computed.</param>
/// <param name="SoftwareRate">Whose software did.</param>
/// <param name="OtherRate">Without one.</param>
/// <param name="DeviceP50">Median, as below of the last ten seconds.</param>
/// <param name="DeviceP99">99th percentile.</param>
/// <param name="SoftwareP50">Median.</param>
/// <param name="SoftwareP99">99th percentile.</param>
internal readonly record struct LiveSample(
    long Time, double DeviceRate, double SoftwareRate, double OtherRate, double? DeviceP50, double? DeviceP99, double? SoftwareP50, double? SoftwareP99)
{
    /// <summary>In the order of <see cref="LiveHistory.Columns"/>.</summary>
    public double?[] ToRow() => [Time, DeviceRate, SoftwareRate, OtherRate, DeviceP50, SoftwareP50, DeviceP99, SoftwareP99];
}

/// <summary>The seconds of the last ten minutes, kept whether anybody watches or not. One thread at a time.</summary>
internal sealed class LiveHistory
{
    /// <summary>Seconds that are kept.</summary>
    public const int Capacity = 600;

    private readonly LiveSample[] _samples = new LiveSample[Capacity];
    private int _next;
    private int _count;

    /// <summary>Adds the latest; the oldest goes.</summary>
    public void Add(in LiveSample sample)
    {
        _samples[_next] = sample;
        _next = (_next + 1) % Capacity;
        _count = Math.Min(_count + 1, Capacity);
    }

    /// <summary>A column for each number, the oldest first, as charts want them.</summary>
    public double?[][] Columns()
    {
        double?[][] rows = [.. Enumerable.Range(0, _count).Select(i => _samples[(_next - _count + i + Capacity) % Capacity].ToRow())];
        int width = default(LiveSample).ToRow().Length;
        return [.. Enumerable.Range(0, width).Select(column => rows.Select(row => row[column]).ToArray())];
    }
}
