using System.Diagnostics;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Paths;

/// <summary>One operation of the path <c>auto</c>, from before it is decided where it goes until it is done. Of one thread.</summary>
public ref struct AutoOperation
{
    private readonly PathChooser _chooser;
    private long _softwareWork;
    private long _softwareSince;

    internal AutoOperation(PathChooser chooser, OperationTimeline? timeline)
    {
        Timeline = timeline;
        _chooser = chooser;
        UnderWay = chooser.Enter();
    }

    /// <summary>Where it was sent; after the device was asked.</summary>
    public PathDecision Decision { get; internal set; }

    /// <summary>Where its steps are written; null: nobody asks.</summary>
    internal OperationTimeline? Timeline { get; }

    internal readonly PathChooser Chooser => _chooser;

    /// <summary>Operations under way when it began, this one included.</summary>
    internal int UnderWay { get; }

    /// <summary>The load by which it was decided.</summary>
    internal double Load { get; set; }

    /// <summary>Software begins to compute it, on the calling thread.</summary>
    public void BeginSoftware()
    {
        _softwareSince = Stopwatch.GetTimestamp();
        _softwareWork = ThreadTime.ReadNanoseconds();
    }

    /// <summary>Software has computed it.</summary>
    /// <param name="modulusBytes">Of the key.</param>
    public readonly void EndSoftware(int modulusBytes)
    {
        long work = ThreadTime.ReadNanoseconds() - _softwareWork;
        long now = Stopwatch.GetTimestamp();
        _chooser[KeySizes.PlaceOf(modulusBytes)].Software.Record(
            work, (long)Stopwatch.GetElapsedTime(_softwareSince, now).TotalNanoseconds, Math.Max(1, Load), ToNanoseconds(now));
    }

    /// <summary>It is done.</summary>
    public readonly void Dispose() => _chooser.Leave();

    private static long ToNanoseconds(long timestamp) => (long)(timestamp * (1e9 / Stopwatch.Frequency));
}
