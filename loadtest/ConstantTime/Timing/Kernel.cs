namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>The parts of the SIMD engine that see secrets most of the time.</summary>
internal enum Kernel
{
    Multiply,
    Square,
    Reduce,
    Select,

    /// <summary>An exponentiation that ends at the first window that is zero in all lanes: wrong by intention.</summary>
    EarlyExit,

    /// <summary>An exponentiation that leaves out the multiplication by a window that is zero in all lanes: wrong by intention.</summary>
    SkippedMultiplication,
}
