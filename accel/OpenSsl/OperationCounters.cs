using WarpDrive.Driver;

namespace WarpDrive.OpenSsl;

/// <summary>How many private-key operations were computed where. Any thread may call any member.</summary>
public sealed class OperationCounters
{
    private static readonly AcceleratorError[] Reasons = [.. Enum.GetValues<AcceleratorError>().Where(error => error != AcceleratorError.None)];

    private readonly long[] _fallbacks = new long[Enum.GetValues<AcceleratorError>().Max(error => (int)error) + 1];
    private readonly long[] _failures = new long[Enum.GetValues<AcceleratorError>().Max(error => (int)error) + 1];
    private long _device;
    private long _software;

    /// <summary>The counts now. Each is exact; together they may be of slightly different moments.</summary>
    public OperationCounts Snapshot() => new(
        Interlocked.Read(ref _device),
        Interlocked.Read(ref _software),
        Reasons.ToDictionary(reason => reason, reason => Interlocked.Read(ref _fallbacks[(int)reason])),
        Reasons.ToDictionary(reason => reason, reason => Interlocked.Read(ref _failures[(int)reason])));

    internal void CountDevice() => Interlocked.Increment(ref _device);

    internal void CountSoftware() => Interlocked.Increment(ref _software);

    internal void CountFallback(AcceleratorError reason) => Interlocked.Increment(ref _fallbacks[(int)reason]);

    internal void CountFailure(AcceleratorError reason) => Interlocked.Increment(ref _failures[(int)reason]);
}
