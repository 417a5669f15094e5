namespace WarpDrive.Engines;

/// <summary>Computes RSA operations; knows no ring and no socket. An engine is used by one thread at a time.</summary>
public interface IRsaEngine : IDisposable
{
    /// <summary>What it is, for people: <c>scalar (OpenSSL 3.0.19)</c>.</summary>
    string Name { get; }

    /// <summary>The most operations it computes together; more in a batch gain nothing.</summary>
    int Lanes { get; }

    /// <summary>
    /// Computes every operation of the batch: reads <see cref="OperationBatch.Key"/> and <see cref="OperationBatch.Input"/>,
    /// writes <see cref="OperationBatch.Output"/> and the status. Never throws for what an operation contains: a wrong key of the
    /// right form gives a wrong number. The output of an operation that is not <see cref="RsaStatus.Done"/> is zero. Keeps no
    /// secret once it returns, and after the first batches of its kind allocates nothing managed.
    /// </summary>
    void Execute(OperationBatch batch);

    /// <summary>What this many operations of one kind cost when computed together, in any unit. Here: as much as one after the other.</summary>
    double Cost(RsaAlgorithm algorithm, int modulusBytes, int count) => count;

    /// <summary>
    /// Of so many operations of one kind that wait, how many to compute together now: the others gain nothing by being there, and
    /// would only keep these waiting for them.
    /// </summary>
    int Portion(RsaAlgorithm algorithm, int modulusBytes, int waiting) => Math.Min(waiting, Lanes);
}
