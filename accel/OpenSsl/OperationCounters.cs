using WarpDrive.Driver;
using WarpDrive.Driver.Paths;

namespace WarpDrive.OpenSsl;

/// <summary>How many private-key operations were computed where. Any thread may call any member.</summary>
public sealed class OperationCounters
{
    private static readonly AcceleratorError[] Reasons = [.. Enum.GetValues<AcceleratorError>().Where(error => error != AcceleratorError.None)];

    private readonly long[] _fallbacks = new long[Enum.GetValues<AcceleratorError>().Max(error => (int)error) + 1];
    private readonly long[] _failures = new long[Enum.GetValues<AcceleratorError>().Max(error => (int)error) + 1];
    private readonly long[] _choices = new long[Enum.GetValues<PathDecision>().Length];
    private long _device;
    private long _software;

    /// <summary>The counts now. Each is exact; together they may be of slightly different moments.</summary>
    public OperationCounts Snapshot() => new(
        Interlocked.Read(ref _device),
        Interlocked.Read(ref _software),
        Reasons.ToDictionary(reason => reason, reason => Interlocked.Read(ref _fallbacks[(int)reason])),
        Reasons.ToDictionary(reason => reason, reason => Interlocked.Read(ref _failures[(int)reason])))
    {
        Choices = Enum.GetValues<PathDecision>().ToDictionary(decision => decision, decision => Interlocked.Read(ref _choices[(int)decision])),
    };

    internal void CountDevice() => Interlocked.Increment(ref _device);

    internal void CountSoftware() => Interlocked.Increment(ref _software);

    /// <summary>An operation of the path <c>auto</c> is done.</summary>
    /// <param name="decision">Where it was sent.</param>
    /// <param name="error">Why the device did not compute it after all.</param>
    internal void CountChoice(PathDecision decision, AcceleratorError error)
    {
        Interlocked.Increment(ref _choices[(int)decision]);
        if (error != AcceleratorError.None)
        {
            CountFallback(error);
        }
        else if (decision == PathDecision.Device)
        {
            CountDevice();
        }
        else
        {
            CountSoftware();
        }
    }

    internal void CountFallback(AcceleratorError reason) => Interlocked.Increment(ref _fallbacks[(int)reason]);

    internal void CountFailure(AcceleratorError reason) => Interlocked.Increment(ref _failures[(int)reason]);
}
