namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>An invariant does not hold.</summary>
internal sealed class SimulationFailure(string invariant, string what) : Exception($"{invariant}: {what}")
{
    /// <summary>Which one.</summary>
    public string Invariant => invariant;

    public static void Unless(bool holds, string invariant, string what)
    {
        if (!holds)
        {
            throw new SimulationFailure(invariant, what);
        }
    }
}
