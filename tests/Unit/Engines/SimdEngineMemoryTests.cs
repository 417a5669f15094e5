using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.Engines;
using WarpDrive.Engines.Simd;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class SimdEngineMemoryTests
{
    private const ulong DigitMask = (1UL << LaneNumbers.Bits) - 1;

    [SimdTheory, WidthData]
    public void Workspace_is_zero_again_after_every_batch(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        OperationBatch batch = NewBatch(16);
        var random = new Random(1);
        for (int round = 0; round < 6; round++)
        {
            batch.Clear();
            for (int i = 0; i <= round * 3; i++)
            {
                EngineKey key = EngineKey.Nonsense(256 + (128 * ((i + round) % 3)), random);
                (i % 4 == 3 ? key with { P = 4 } : key).AddCrt(batch, i % 4 == 2 ? key.N : i);
            }

            engine.Execute(batch);
            Assert.Equal(RsaStatus.Done, batch[0].Status);
            Assert.Equal(-1, Workspace(engine).GetSpan().IndexOfAnyExcept((byte)0));
        }
    }

    [SimdTheory, WidthData]
    public void What_is_zeroed_held_digits_of_the_key(SimdWidth width)
    {
        using var numbers = new LaneNumbers(zero: true);
        numbers.Use(width.Lanes);
        ICrtLanes lanes = width.CreateSize(256, numbers.Memory);
        OperationBatch batch = NewBatch(1);
        EngineKey.Nonsense(256, new Random(2)).AddCrt(batch, 2);
        lanes.Compute(batch, [0]);
        Assert.NotEqual(-1, numbers.Bytes.IndexOfAnyExcept((byte)0));
    }

    [SimdTheory, WidthData(256, 8), WidthData(384, 3), WidthData(512, 8)]
    public void No_digit_and_no_word_of_a_key_stays_in_memory_after_a_batch(SimdWidth width, int modulusBytes, int operations)
    {
        using var engine = new SimdEngine(width);
        OperationBatch batch = NewBatch(operations);
        var sought = new List<ulong>();
        for (int i = 0; i < operations; i++)
        {
            // Not by way of BigInteger, which would leave its words on the heap.
            int index = batch.Add(RsaAlgorithm.Crt, modulusBytes);
            Span<byte> key = batch.Key(index);
            RandomNumberGenerator.Fill(key);
            RandomNumberGenerator.Fill(batch.Input(index)[1..]);
            for (int start = 0; start < key.Length; start += modulusBytes / 2)
            {
                key[start] |= 0x80;
                key[start + (modulusBytes / 2) - 1] |= 1;
                Span<byte> part = key.Slice(start, modulusBytes / 2);
                sought.Add(BinaryPrimitives.ReadUInt64BigEndian(part[^56..]) ^ ProcessMemory.Mask);
                if (start / (modulusBytes / 2) >= 2)
                {
                    AddDigits(sought, part);
                }
            }
        }

        engine.Execute(batch);
        engine.Execute(batch);

        for (int index = 0; index < operations; index++)
        {
            Assert.Equal(RsaStatus.Done, batch[index].Status);
            sought.Add(BinaryPrimitives.ReadUInt64BigEndian(batch.Output(index)[^56..]) ^ ProcessMemory.Mask);
            AddDigits(sought, batch.Output(index));
        }

        ProcessMemory.AssertAbsent([.. sought]);
    }

    [SimdTheory, WidthData]
    public void Nothing_managed_is_allocated_per_batch(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        OperationBatch batch = NewBatch(17);
        var random = new Random(3);
        for (int i = 0; i < 16; i++)
        {
            EngineKey key = EngineKey.Nonsense(i < 8 ? 256 : 256 + (128 * (i % 3)), random);
            (i == 5 ? key with { P = 4 } : key).AddCrt(batch, i == 6 ? key.N : i);
        }

        EngineKeys.OfBytes(128).AddCrt(batch, 5);
        engine.Execute(batch);
        engine.Execute(batch);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            engine.Execute(batch);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(RsaStatus.Unsupported, batch[16].Status);
    }

    [SimdTheory, WidthData]
    public void Disposedengine_may_be_disposed_again(SimdWidth width)
    {
        var engine = new SimdEngine(width);
        engine.Dispose();
        engine.Dispose();
    }

    private static OperationBatch NewBatch(int capacity) => new(capacity, new byte[OperationBatch.StorageBytes(capacity)]);

    /// <summary>A digit as it is read, and as carrying leaves it, in its place of a double.</summary>
    private static void AddDigits(List<ulong> sought, ReadOnlySpan<byte> part)
    {
        // Digit 16 begins at byte 94.
        long digit = (long)(BinaryPrimitives.ReadUInt64BigEndian(part[^102..]) & DigitMask);
        foreach (long each in (long[])[digit, digit + 1, digit - (1L << LaneNumbers.Bits), digit + 1 - (1L << LaneNumbers.Bits)])
        {
            sought.Add(BitConverter.DoubleToUInt64Bits(each) ^ ProcessMemory.Mask);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_workspace")]
    private static extern ref MappedMemory Workspace(SimdEngine engine);
}
