using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>An operation as the model knows it, from its submission to the completion that its host has seen, which may be long after its lane gave it up.</summary>
internal sealed class SimulatedOperation(SimulatedKey key, byte[] input, TimeSpan begun, TimeSpan deadline)
{
    public SimulatedKey Key => key;

    public byte[] Input => input;

    /// <summary>When it was posted.</summary>
    public TimeSpan Begun => begun;

    /// <summary>When it is given up.</summary>
    public TimeSpan Deadline => begun + deadline;

    /// <summary>As it stands in the submission ring.</summary>
    public SubmissionEntry Entry { get; set; }

    /// <summary>The output's memory: before the device was done what was there, then what the device wrote.</summary>
    public byte[] Output { get; } = new byte[key.ModulusBytes];

    /// <summary>Whether the device has marked it as done.</summary>
    public bool IsDone { get; set; }

    /// <summary>With which error.</summary>
    public HpreError Error { get; set; }

    /// <summary>Whether the host has taken its completion.</summary>
    public bool IsReaped { get; set; }

    /// <summary>Where it was posted.</summary>
    public required ObservedQueue Queue { get; init; }

    /// <summary>The driver's side of it.</summary>
    public required PooledOperation Pooled { get; init; }
}
