using WarpDrive.Abi.Hpre;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>An operation as the model knows it, from its submission to the completion that its host has seen, which may be long after its lane gave it up.</summary>
internal sealed class SimulatedOperation(SimulatedKey? key, byte[] keyBlock, byte[] input, TimeSpan deadline)
{
    /// <summary>Null: it is a probe's.</summary>
    public SimulatedKey? Key => key;

    /// <summary>What the device must find as its key.</summary>
    public byte[] KeyBlock => keyBlock;

    public byte[] Input => input;

    /// <summary>When it is given up.</summary>
    public TimeSpan Deadline => deadline;

    /// <summary>As it stands in the submission ring.</summary>
    public SubmissionEntry Entry { get; set; }

    /// <summary>The output's memory: before the device was done what was there, then what the device wrote.</summary>
    public byte[] Output { get; } = new byte[input.Length];

    /// <summary>Whether the device has marked it as done.</summary>
    public bool IsDone { get; set; }

    /// <summary>With which error.</summary>
    public HpreError Error { get; set; }

    /// <summary>Whether the host has taken its completion.</summary>
    public bool IsReaped { get; set; }

    /// <summary>Whether the key of a lane's operation gave this answer.</summary>
    public bool IsRight(ReadOnlySpan<byte> answer) => key!.IsRight(input, answer);
}
