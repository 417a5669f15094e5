using System.Numerics;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>A batch, and how each of its operations must end.</summary>
internal sealed class ExpectedBatch(int capacity)
{
    private readonly List<(RsaStatus Status, BigInteger Output, EngineKey Key, BigInteger Input)> _expected = [];

    public OperationBatch Batch { get; } = new(capacity, new byte[OperationBatch.StorageBytes(capacity)]);

    /// <summary>An operation whose number the formula of the datasheet gives.</summary>
    public void Add(EngineKey key, BigInteger input) => Add(key, input, RsaStatus.Done, key.CrtFormula(input));

    /// <summary>An operation that must give a random number: its input is the public power, since each number is the power of one only.</summary>
    public void AddRandom(EngineKey key, Random random)
    {
        BigInteger output = EngineKey.Below(key.N, key.ModulusBytes, random);
        Add(key, BigInteger.ModPow(output, key.E, key.N), RsaStatus.Done, output);
    }

    /// <summary>An operation that must be refused, its output zero.</summary>
    public void AddRefused(EngineKey key, BigInteger input, RsaStatus status) => Add(key, input, status, 0);

    public void Clear()
    {
        Batch.Clear();
        _expected.Clear();
    }

    /// <summary>Computes the batch and compares every operation of it.</summary>
    public void AssertComputedBy(IRsaEngine engine)
    {
        // An engine that writes nothing shall not be right by what was here before.
        for (int index = 0; index < Batch.Count; index++)
        {
            Batch.Output(index).Fill(0xA5);
        }

        engine.Execute(Batch);
        for (int index = 0; index < Batch.Count; index++)
        {
            (RsaStatus status, BigInteger output, EngineKey key, BigInteger input) = _expected[index];
            BigInteger found = EngineKey.Number(Batch.Output(index));
            Assert.True(
                status == Batch[index].Status && output == found,
                $"operation {index} of {Batch.Count} ended as {Batch[index].Status} with {found:x}, expected {status} with {output:x}: "
                    + $"input {input:x}, {key.Text}");
        }
    }

    private void Add(EngineKey key, BigInteger input, RsaStatus status, BigInteger output)
    {
        key.AddCrt(Batch, input);
        _expected.Add((status, output, key, input));
    }
}
