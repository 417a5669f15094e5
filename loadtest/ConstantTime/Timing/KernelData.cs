namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>The first of the two classes of data of a kernel; the second is random.</summary>
internal enum KernelData
{
    /// <summary>Random numbers drawn once.</summary>
    Fixed,

    /// <summary>Zeros in all lanes: numbers, or windows. Numbers never are in an engine.</summary>
    Zero,

    /// <summary>Numbers that are zero in one lane, as when an input is a multiple of a prime.</summary>
    ZeroLane,

    /// <summary>Windows of which each eighth is zero, and the others random.</summary>
    SomeZeroWindows,
}
