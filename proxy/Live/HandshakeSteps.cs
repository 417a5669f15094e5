using WarpDrive.Driver;

namespace WarpProxy.Live;

/// <summary>When each step of one handshake was done, of <see cref="System.Diagnostics.Stopwatch"/>; 0: it was not reached.</summary>
internal struct HandshakeSteps
{
    /// <summary>A lane was asked for; of several times the last one before the private key was used.</summary>
    public long LaneAsked;

    /// <summary>It ran on one.</summary>
    public long LaneBegun;

    /// <summary>OpenSSL asked for the private-key operation.</summary>
    public long OperationBegun;

    /// <summary>It was posted to a device.</summary>
    public long Posted;

    /// <summary>The device began to compute, as it says.</summary>
    public long ComputeBegun;

    /// <summary>The device had computed, as it says.</summary>
    public long ComputeEnded;

    /// <summary>Its answer was taken.</summary>
    public long Reaped;

    /// <summary>The fault check was over.</summary>
    public long Checked;

    /// <summary>Software began to compute.</summary>
    public long SoftwareBegun;

    /// <summary>OpenSSL had its result.</summary>
    public long OperationEnded;

    /// <summary>The answer to the client was written.</summary>
    public long Answered;

    /// <summary>Operations that the device computed together; 0: it did not say.</summary>
    public int BatchSize;

    /// <summary>Takes over what is known of the operation.</summary>
    public void Take(OperationTimeline timeline)
    {
        OperationBegun = timeline.Begun;
        Posted = timeline.Posted;
        ComputeBegun = timeline.ComputeBegun;
        ComputeEnded = timeline.ComputeEnded;
        Reaped = timeline.Reaped;
        Checked = timeline.Checked;
        SoftwareBegun = timeline.SoftwareBegun;
        OperationEnded = timeline.Ended;
        BatchSize = timeline.BatchSize;
    }
}
