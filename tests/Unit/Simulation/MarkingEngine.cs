using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>Not RSA, but a function of key and input: every byte of the output is input + 1, and the first 8 bytes are exchanged for the key's.</summary>
internal sealed class MarkingEngine(int lanes) : IRsaEngine
{
    public string Name => "marks what it saw";

    public int Lanes => lanes;

    public void Execute(OperationBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Compute(batch.Key(i), batch.Input(i), batch.Output(i));
            batch[i].Status = RsaStatus.Done;
        }
    }

    public static void Compute(ReadOnlySpan<byte> key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        for (int i = 0; i < output.Length; i++)
        {
            output[i] = (byte)(input[i] + 1);
        }

        key[..8].CopyTo(output);
    }

    public void Dispose()
    {
    }
}
