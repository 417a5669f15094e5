namespace WarpDrive.Engines.Simd;

/// <summary>RSA private-key operations of one size, side by side in the lanes of some width.</summary>
internal interface ICrtLanes
{
    /// <summary>Computes operations of a batch, all of this size and no more than lanes. Leaves secrets in the memory it was given.</summary>
    void Compute(OperationBatch batch, ReadOnlySpan<int> operations);
}
