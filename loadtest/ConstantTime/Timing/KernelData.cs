namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>The first of the two classes of data of a kernel; the second is random.</summary>
internal enum KernelData
{
    /// <summary>Random numbers drawn once.</summary>
    Fixed,

    /// <summary>Zeros: numbers, or windows.</summary>
    Zero,

    /// <summary>Windows of which each eighth is zero, and the others random.</summary>
    SomeZeroWindows,
}
