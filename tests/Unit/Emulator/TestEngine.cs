using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>An engine that copies the input to the output, or does what a test says.</summary>
internal sealed class TestEngine(
    int lanes = 1, Action<OperationBatch>? execute = null, string name = "test", BatchPlan? plan = null) : IRsaEngine
{
    public string Name => name;

    public int Lanes => lanes;

    public bool IsDisposed { get; private set; }

    public double Cost(RsaAlgorithm algorithm, int modulusBytes, int count) => plan?.Cost(count) ?? count;

    public int Portion(RsaAlgorithm algorithm, int modulusBytes, int waiting) => plan?.Portion(waiting) ?? Math.Min(waiting, lanes);

    public void Execute(OperationBatch batch)
    {
        if (execute is not null)
        {
            execute(batch);
            return;
        }

        for (int i = 0; i < batch.Count; i++)
        {
            batch.Input(i).CopyTo(batch.Output(i));
            batch[i].Status = RsaStatus.Done;
        }
    }

    public void Dispose() => IsDisposed = true;
}
