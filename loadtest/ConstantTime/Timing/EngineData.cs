namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>Which data of an engine's operations are fixed in the first class and random in the second; the rest is drawn anew or fixed for both.</summary>
internal enum EngineData
{
    /// <summary>The whole key; inputs are random in both classes.</summary>
    Key,

    /// <summary>The input; the key is fixed in both classes.</summary>
    Input,

    /// <summary>dp and dq, of two bits in the first class; all else of the key is fixed, inputs are random.</summary>
    SparseExponents,

    /// <summary>dp and dq, zero in the first class, so that all windows are; all else of the key is fixed, inputs are random.</summary>
    ZeroExponents,
}
