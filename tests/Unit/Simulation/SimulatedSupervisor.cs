using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>The thread of a supervisor, as far as the driver can tell.</summary>
internal sealed class SimulatedSupervisor(int number, DeviceSupervisor supervisor)
{
    public int Number => number;

    public DeviceSupervisor Supervisor => supervisor;

    /// <summary>When it gets the processor next.</summary>
    public TimeSpan NextAt { get; set; }
}
