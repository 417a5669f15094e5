namespace WarpProxy.LoadTest.Fleet;

/// <summary>Where private-key operations go, as <c>Offload:Path</c> has it.</summary>
internal enum SimulatedPath
{
    /// <summary>Each where it is expected to be done first, or at the least cost.</summary>
    Auto,

    /// <summary>To the device, as long as it takes them.</summary>
    Device,

    /// <summary>None to a device.</summary>
    Software,
}

/// <summary>One machine with a proxy: its processors, its limits, and what computes private-key operations.</summary>
internal sealed record NodeShape
{
    /// <summary>Processors of the proxy.</summary>
    public int Cores { get; init; } = 1;

    /// <summary>As <c>Tls:Lanes</c>: handshakes that may wait for a device at once.</summary>
    public int Lanes { get; init; } = 16;

    /// <summary>
    /// Handshakes that wait for a lane; one more is refused. As <c>Tls:MaxWaiting</c> and the kernel's backlog of connections together, since the proxy leaves a crowd in
    /// the kernel.
    /// </summary>
    public int MaxWaiting { get; init; } = 1024 + 4096;

    /// <summary>As <c>Tls:LaneTimeout</c>, in microseconds.</summary>
    public double LaneTimeout { get; init; } = 5e6;

    /// <summary>Engines of the devices, each computing one batch at a time; 0: there is no device.</summary>
    public int Engines { get; init; }

    /// <summary>Whether engines have processors of their own (hardware, or an emulator elsewhere), or take turns on the proxy's.</summary>
    public bool HasOwnProcessors { get; init; }

    /// <summary>As <c>Offload:QueuesPerDevice</c>, of all devices together: operations in flight.</summary>
    public int Queues { get; init; } = 16;

    /// <summary>As <c>Offload:Deadline</c> for this size of key, in microseconds.</summary>
    public double Deadline { get; init; } = 50_000;

    /// <summary>Where operations go.</summary>
    public SimulatedPath Path { get; init; } = SimulatedPath.Auto;

    /// <summary>Share of the handshakes that resume a session.</summary>
    public double Resumed { get; init; }
}
