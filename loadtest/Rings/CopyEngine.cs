using WarpDrive.Engines;

namespace WarpProxy.LoadTest.Rings;

/// <summary>Copies the input to the output: what is left is the cost of the rings.</summary>
internal sealed class CopyEngine : IRsaEngine
{
    public string Name => "copy (no arithmetic)";

    public int Lanes => 64;

    public void Execute(OperationBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            batch.Input(i).CopyTo(batch.Output(i));
            batch[i].Status = RsaStatus.Done;
        }
    }

    public void Dispose()
    {
    }
}
