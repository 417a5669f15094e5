using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>A thread that runs operations, as far as the driver can tell.</summary>
internal sealed class SimulatedLane(int number)
{
    public int Number => number;

    /// <summary>When it gets the processor next.</summary>
    public TimeSpan NextAt { get; set; }

    /// <summary>What it waits for; null: nothing.</summary>
    public SimulatedOperation? Operation { get; set; }

    /// <summary>The driver's side of it.</summary>
    public PooledOperation Pooled { get; set; }

    /// <summary>Where it was posted.</summary>
    public ObservedQueue? Queue { get; set; }

    /// <summary>What the poll said with which the operation was over.</summary>
    public AcceleratorError? Outcome { get; set; }

    /// <summary>How its last operation ended.</summary>
    public AcceleratorError Last { get; set; }

    public byte[] Output { get; set; } = [];
}
