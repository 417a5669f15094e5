using WarpDrive.Abi.Hpre;
using WarpDrive.Engines;
using KnownAnswer = WarpDrive.Driver.KnownAnswer;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>Not RSA, but a function of key and input: every byte of the output is input + 1, and the first 8 bytes are exchanged for the key's.</summary>
internal sealed class MarkingEngine(int lanes) : IRsaEngine
{
    /// <summary>What a probe may ask this engine, instead of RSA: each size.</summary>
    public static IReadOnlyList<KnownAnswer> KnownAnswers { get; } = [.. ((int[])[1024, 2048, 3072, 4096]).Select(Ask)];

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

    private static KnownAnswer Ask(int bits)
    {
        byte[] key = new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, bits / 8)];
        new Random(bits).NextBytes(key);
        byte[] pairs = new byte[4 * bits / 8];
        for (int pair = 0; pair < 2; pair++)
        {
            Span<byte> input = pairs.AsSpan(2 * pair * bits / 8, bits / 8);
            input.Fill((byte)(pair + 1));
            Compute(key, input, pairs.AsSpan(((2 * pair) + 1) * bits / 8, bits / 8));
        }

        return new KnownAnswer(bits, key, pairs);
    }
}
