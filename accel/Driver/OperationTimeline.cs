using System.Diagnostics;
using WarpDrive.Abi.Hpre;

namespace WarpDrive.Driver;

/// <summary>
/// When each step of one operation was done, and where: what a trace shows and histograms count. Whoever runs operations gives one along and may use it
/// again for the next; one thread at a time. Times are of <see cref="Stopwatch.GetTimestamp"/>; 0: that step was not reached.
/// </summary>
public sealed class OperationTimeline
{
    /// <summary>When it was asked for.</summary>
    public long Begun { get; set; }

    /// <summary>When it was posted on a queue and the doorbell rung.</summary>
    public long Posted { get; private set; }

    /// <summary>When its completion was taken.</summary>
    public long Reaped { get; private set; }

    /// <summary>When the fault check of its result was over.</summary>
    public long Checked { get; private set; }

    /// <summary>When software began to compute it.</summary>
    public long SoftwareBegun { get; set; }

    /// <summary>When it was done, by whomever.</summary>
    public long Ended { get; set; }

    /// <summary>The device that it was posted to; null: none.</summary>
    public string? DeviceUri { get; private set; }

    /// <summary>The device's number of the queue.</summary>
    public int QueueNumber { get; private set; }

    /// <summary>Operations that the device computed together with it, itself included; 0: it did not say, or what it said cannot be.</summary>
    public int BatchSize { get; private set; }

    /// <summary>When the device began to compute its batch; 0: as <see cref="BatchSize"/>.</summary>
    public long ComputeBegun { get; private set; }

    /// <summary>When the device had computed its batch; 0: as <see cref="BatchSize"/>.</summary>
    public long ComputeEnded { get; private set; }

    /// <summary>Forgets the last operation; the next one begins now.</summary>
    public void Begin()
    {
        Begun = Stopwatch.GetTimestamp();
        Posted = Reaped = Checked = SoftwareBegun = Ended = ComputeBegun = ComputeEnded = 0;
        DeviceUri = null;
        QueueNumber = BatchSize = 0;
    }

    internal void RecordPost(string deviceUri, int queueNumber)
    {
        Posted = Stopwatch.GetTimestamp();
        DeviceUri = deviceUri;
        QueueNumber = queueNumber;
    }

    /// <summary>The device's numbers are not trusted: times outside of what the host saw are left out.</summary>
    internal void RecordReap(in Completion completion)
    {
        Reaped = Stopwatch.GetTimestamp();
        if (completion.BatchSize is 0 or > DeviceUserShare.MaxDepth)
        {
            return;
        }

        // The low half of a clock that both sides have (where they are on one machine).
        long ended = Reaped - (uint)((uint)Reaped - completion.ComputedAt);
        long begun = ended - (completion.ComputeMicroseconds * 1000L);
        if (begun >= Posted)
        {
            BatchSize = completion.BatchSize;
            ComputeBegun = begun;
            ComputeEnded = ended;
        }
    }

    internal void RecordCheck() => Checked = Stopwatch.GetTimestamp();
}
