using WarpDrive.Engines;

namespace WarpProxy.LoadTest.Engines;

/// <summary>An engine with batches of one number of operations, each with another key.</summary>
internal sealed class EngineContender : IContender
{
    private readonly IRsaEngine _engine;
    private readonly BenchKey[] _keys;
    private readonly OperationBatch[] _batches;
    private int _next;

    /// <summary>Divides the keys into batches.</summary>
    /// <param name="name">For the row.</param>
    /// <param name="engine">Stays the caller's.</param>
    /// <param name="keys">A multiple of <paramref name="batch"/>.</param>
    /// <param name="batch">Operations of a batch.</param>
    /// <param name="passCapacity">The most operations that take the time of such a batch.</param>
    public EngineContender(string name, IRsaEngine engine, BenchKey[] keys, int batch, int passCapacity)
    {
        Engine = name;
        Batch = batch;
        PassCapacity = passCapacity;
        _engine = engine;
        _keys = keys;
        _batches = [.. keys.Chunk(batch).Select(Fill)];
    }

    public string Engine { get; }

    public int Batch { get; }

    public int PassCapacity { get; }

    public void RunPass()
    {
        _engine.Execute(_batches[_next]);
        _next = (_next + 1) % _batches.Length;
    }

    public void ClearResults()
    {
        _next = 0;
        foreach (OperationBatch batch in _batches)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                batch.Output(i).Clear();
                batch[i].Status = RsaStatus.None;
            }
        }
    }

    public void CheckResults(long passes)
    {
        for (int i = 0; i < _keys.Length && i < passes * Batch; i++)
        {
            OperationBatch batch = _batches[i / Batch];
            int index = i % Batch;
            bool isRight = batch[index].Status == RsaStatus.Done && _keys[i].OpenSsl.CheckResult(_keys[i].Input, batch.Output(index));
            if (!isRight)
            {
                throw new InvalidOperationException(
                    $"{_engine.Name}: RSA-{_keys[i].ModulusBytes * 8}, operation {index + 1} of {Batch}: {(batch[index].Status == RsaStatus.Done ? "the number is wrong" : $"it ended as {batch[index].Status}")}.");
            }
        }
    }

    private static OperationBatch Fill(BenchKey[] keys)
    {
        var batch = new OperationBatch(keys.Length, new byte[OperationBatch.StorageBytes(keys.Length)]);
        foreach (BenchKey key in keys)
        {
            int index = batch.Add(RsaAlgorithm.Crt, key.ModulusBytes);
            key.CrtBlock.CopyTo(batch.Key(index));
            key.Input.CopyTo(batch.Input(index));
        }

        return batch;
    }
}
