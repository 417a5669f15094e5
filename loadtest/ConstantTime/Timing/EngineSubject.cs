using WarpDrive.Engines;

namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>
/// A batch of CRT operations, each with a key of its own. Keys are numbers of the right form: p and q are odd and full and nothing belongs
/// to anything, which an engine cannot know.
/// </summary>
internal sealed class EngineSubject : TimedSubject
{
    private const int KeyParts = 5;
    private const int Q = 2;
    private const int P = 3;

    private readonly IRsaEngine _engine;
    private readonly OperationBatch _batch;
    private readonly EngineData _data;
    private readonly Random _source;
    private readonly int _half;
    private readonly byte[] _fixed;
    private readonly byte[] _first;
    private readonly byte[] _random;
    private readonly byte[][] _slots;

    public EngineSubject(IRsaEngine engine, int modulusBytes, int operations, EngineData data, int slots, int seed)
    {
        _engine = engine;
        _data = data;
        _source = new Random(seed);
        _half = modulusBytes / 2;
        _batch = new OperationBatch(operations, new byte[OperationBatch.StorageBytes(operations)]);
        for (int i = 0; i < operations; i++)
        {
            _batch.Add(RsaAlgorithm.Crt, modulusBytes);
        }

        int length = operations * OperationBytes;
        _fixed = new byte[length];
        _first = new byte[length];
        _random = new byte[length];
        _slots = [.. Enumerable.Range(0, slots).Select(_ => new byte[length])];
        for (int i = 0; i < operations; i++)
        {
            DrawKey(Operation(_fixed, i));
            DrawInput(Operation(_fixed, i));
        }
    }

    private int KeyBytes => KeyParts * _half;

    private int OperationBytes => KeyBytes + (2 * _half);

    public override void Draw(int slot, bool isRandom)
    {
        // Both classes are made of everything that is drawn, and then one of them is copied.
        for (int i = 0; i < _batch.Count; i++)
        {
            Span<byte> fixedOne = Operation(_fixed, i);
            Span<byte> random = Operation(_random, i);
            Span<byte> first = Operation(_first, i);
            DrawKey(random);
            DrawInput(random);
            random.CopyTo(first);
            switch (_data)
            {
                case EngineData.Key:
                    fixedOne[..KeyBytes].CopyTo(first);
                    break;
                case EngineData.Input:
                    fixedOne[..KeyBytes].CopyTo(random);
                    fixedOne.CopyTo(first);
                    break;
                case EngineData.SparseExponents or EngineData.ZeroExponents:
                    Range rest = (2 * _half)..KeyBytes;
                    fixedOne[rest].CopyTo(random[rest]);
                    fixedOne[rest].CopyTo(first[rest]);
                    Thin(first[.._half]);
                    Thin(first[_half..(2 * _half)]);
                    break;
            }
        }

        (isRandom ? _random : _first).CopyTo(_slots[slot], 0);
    }

    public override void Load(int slot)
    {
        for (int i = 0; i < _batch.Count; i++)
        {
            ReadOnlySpan<byte> operation = Operation(_slots[slot], i);
            operation[..KeyBytes].CopyTo(_batch.Key(i));
            operation[KeyBytes..].CopyTo(_batch.Input(i));
        }
    }

    public override void Compute() => _engine.Execute(_batch);

    public override void Check()
    {
        for (int i = 0; i < _batch.Count; i++)
        {
            if (_batch[i].Status != RsaStatus.Done)
            {
                throw new InvalidOperationException($"{Name}: operation {i} ended as {_batch[i].Status}.");
            }
        }
    }

    public override void Dispose()
    {
        // The engine is of whoever made it: many subjects share it.
    }

    private Span<byte> Operation(byte[] bytes, int index) => bytes.AsSpan(index * OperationBytes, OperationBytes);

    private void DrawKey(Span<byte> operation)
    {
        _source.NextBytes(operation[..KeyBytes]);
        foreach (int part in (ReadOnlySpan<int>)[Q, P])
        {
            operation[part * _half] |= 0x80;
            operation[((part + 1) * _half) - 1] |= 1;
        }
    }

    private void DrawInput(Span<byte> operation)
    {
        _source.NextBytes(operation[KeyBytes..]);

        // p and q are at least 2^(bits - 1) each: below a quarter of the range is below their product.
        operation[KeyBytes] &= 0x3F;
    }

    private void Thin(Span<byte> exponent)
    {
        exponent.Clear();
        if (_data == EngineData.SparseExponents)
        {
            exponent[0] = 0x80;
            exponent[^1] = 1;
        }
    }
}
