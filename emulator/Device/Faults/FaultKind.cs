namespace WarpDrive.Emulator.Faults;

/// <summary>What goes wrong.</summary>
public enum FaultKind
{
    /// <summary>Never used.</summary>
    None,

    /// <summary>The result is kept back for a time.</summary>
    Delay,

    /// <summary>The operation never completes, and with it none that came after it in its queue.</summary>
    Drop,

    /// <summary>Some bits of the result are flipped.</summary>
    Wrong,

    /// <summary>The result is all zeros.</summary>
    Zero,

    /// <summary>The result is that of the operation that the engine completed before, if it is as long.</summary>
    Swap,

    /// <summary>The operation ends with an error status.</summary>
    Error,

    /// <summary>Queues are not looked at while it lasts.</summary>
    Stall,

    /// <summary>Computing takes longer by a factor.</summary>
    Slow,

    /// <summary>The device gives its queues up: their stop words become 1.</summary>
    Reset,

    /// <summary>The clients' connections are closed.</summary>
    Disconnect,
}
