namespace WarpDrive.Engines;

/// <summary>
/// A scalar and a SIMD engine that share each batch: operations of one algorithm and size go together, by the plan of that size.
/// What has no plan, and what the SIMD engine does not compute, goes to the scalar engine.
/// </summary>
internal sealed class PlannedEngine : IRsaEngine
{
    private readonly IReadOnlyDictionary<int, BatchPlan> _plans;
    private int[] _operations;

    /// <summary>Takes ownership of both engines.</summary>
    /// <param name="scalar">Computes everything.</param>
    /// <param name="simd">Computes many at once.</param>
    /// <param name="plans">By the bits of the modulus; for CRT operations.</param>
    public PlannedEngine(ISelectiveEngine scalar, ISelectiveEngine simd, IReadOnlyDictionary<int, BatchPlan> plans)
    {
        Scalar = scalar;
        Simd = simd;
        _plans = plans;
        _operations = new int[simd.Lanes];
        Name = $"{simd.Name} and {scalar.Name}";
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Lanes => Simd.Lanes;

    /// <summary>The engine of what does not gain by company.</summary>
    public ISelectiveEngine Scalar { get; }

    /// <summary>The engine of many.</summary>
    public ISelectiveEngine Simd { get; }

    /// <inheritdoc/>
    public double Cost(RsaAlgorithm algorithm, int modulusBytes, int count) =>
        FindPlan(algorithm, modulusBytes) is { } plan ? plan.Cost(count) : count;

    /// <inheritdoc/>
    public int Portion(RsaAlgorithm algorithm, int modulusBytes, int waiting) =>
        FindPlan(algorithm, modulusBytes)?.Portion(waiting) ?? Math.Min(waiting, 1);

    /// <inheritdoc/>
    public void Execute(OperationBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (_operations.Length < batch.Count)
        {
            _operations = new int[batch.Capacity];
        }

        // From a device, all are of one kind: the first group is the whole batch.
        for (int first = 0; first < batch.Count; first++)
        {
            if (!HasEarlierOfItsKind(batch, first))
            {
                ExecuteGroup(batch, Collect(batch, first));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Scalar.Dispose();
        Simd.Dispose();
    }

    private static bool AreOfOneKind(OperationBatch batch, int one, int other) =>
        batch[one].Algorithm == batch[other].Algorithm && batch[one].ModulusBytes == batch[other].ModulusBytes;

    private static bool HasEarlierOfItsKind(OperationBatch batch, int index)
    {
        for (int earlier = 0; earlier < index; earlier++)
        {
            if (AreOfOneKind(batch, earlier, index))
            {
                return true;
            }
        }

        return false;
    }

    private Span<int> Collect(OperationBatch batch, int first)
    {
        int count = 0;
        for (int index = first; index < batch.Count; index++)
        {
            if (AreOfOneKind(batch, first, index))
            {
                _operations[count++] = index;
            }
        }

        return _operations.AsSpan(0, count);
    }

    private BatchPlan? FindPlan(RsaAlgorithm algorithm, int modulusBytes) =>
        algorithm == RsaAlgorithm.Crt ? _plans.GetValueOrDefault(modulusBytes * 8) : null;

    private void ExecuteGroup(OperationBatch batch, Span<int> operations)
    {
        RsaOperation kind = batch[operations[0]];
        if (FindPlan(kind.Algorithm, kind.ModulusBytes) is not { } plan)
        {
            Scalar.Execute(batch, operations);
            return;
        }

        while (operations.Length > 0)
        {
            int count = Math.Min(operations.Length, plan.MaxOperations);
            ExecutePlanned(batch, operations[..count], plan);
            operations = operations[count..];
        }
    }

    private void ExecutePlanned(OperationBatch batch, Span<int> operations, BatchPlan plan)
    {
        // Scalar first: right after a pass the clock is low.
        int scalarCount = plan.ScalarCount(operations.Length);
        if (scalarCount > 0)
        {
            Scalar.Execute(batch, operations[..scalarCount]);
        }

        for (int at = scalarCount; at < operations.Length; at += plan.PassOperations)
        {
            Span<int> pass = operations[at..Math.Min(at + plan.PassOperations, operations.Length)];
            Simd.Execute(batch, pass);
            ExecuteRefused(batch, pass);
        }
    }

    /// <summary>What the SIMD engine does not compute, such as a key of unusual form, the scalar engine may.</summary>
    private void ExecuteRefused(OperationBatch batch, Span<int> operations)
    {
        int count = 0;
        foreach (int index in operations)
        {
            if (batch[index].Status == RsaStatus.Unsupported)
            {
                operations[count++] = index;
            }
        }

        if (count > 0)
        {
            Scalar.Execute(batch, operations[..count]);
        }
    }
}
