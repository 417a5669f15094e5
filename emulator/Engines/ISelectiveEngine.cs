namespace WarpDrive.Engines;

/// <summary>An engine that also computes chosen operations of a batch, so that two engines can share one.</summary>
internal interface ISelectiveEngine : IRsaEngine
{
    /// <summary>As <see cref="IRsaEngine.Execute(OperationBatch)"/>, for these operations alone; the others are not touched.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="operations">Indices into it, each at most once.</param>
    void Execute(OperationBatch batch, ReadOnlySpan<int> operations);
}
