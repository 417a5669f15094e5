using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class OperationBatchTests
{
    [Fact]
    public void Clear_zeroes_keys_inputs_and_outputs()
    {
        byte[] storage = new byte[OperationBatch.StorageBytes(3)];
        var batch = new OperationBatch(3, storage);
        batch.Add(RsaAlgorithm.Crt, 512);
        batch.Add(RsaAlgorithm.Plain, 128);
        batch.Add(RsaAlgorithm.Crt, 384);
        for (int index = 0; index < batch.Count; index++)
        {
            batch.Key(index).Fill(1);
            batch.Input(index).Fill(2);
            batch.Output(index).Fill(3);
        }

        batch.Clear();

        Assert.Equal(-1, storage.AsSpan().IndexOfAnyExcept((byte)0));
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void Fields_of_all_operations_lie_apart()
    {
        byte[] storage = new byte[OperationBatch.StorageBytes(4)];
        var batch = new OperationBatch(4, storage);
        int total = 0;
        for (int index = 0; index < 4; index++)
        {
            batch.Add((RsaAlgorithm)index, 512);
            total += batch.Key(index).Length + batch.Input(index).Length + batch.Output(index).Length;
        }

        for (int index = 0; index < 4; index++)
        {
            AddOne(batch.Key(index));
            AddOne(batch.Input(index));
            AddOne(batch.Output(index));
        }

        Assert.Equal(total, storage.Count(value => value == 1));
        Assert.DoesNotContain((byte)2, storage);
    }

    [Fact]
    public void Added_operation_has_no_status_of_the_one_before()
    {
        var batch = new OperationBatch(1, new byte[OperationBatch.StorageBytes(1)]);
        batch[batch.Add(RsaAlgorithm.Crt, 256)].Status = RsaStatus.Done;
        batch.Clear();
        Assert.Equal(RsaStatus.None, batch[batch.Add(RsaAlgorithm.Plain, 128)].Status);
        Assert.Equal(256, batch.Key(0).Length);
        Assert.Equal(128, batch.Input(0).Length);
    }

    [Theory, InlineData(0), InlineData(64), InlineData(127), InlineData(192), InlineData(513), InlineData(-128), InlineData(1024)]
    public void Modulus_of_another_size_is_refused(int modulusBytes)
    {
        var batch = new OperationBatch(1, new byte[OperationBatch.StorageBytes(1)]);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Add(RsaAlgorithm.Crt, modulusBytes));
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void Full_batch_refuses_another_operation()
    {
        var batch = new OperationBatch(1, new byte[OperationBatch.StorageBytes(1)]);
        batch.Add(RsaAlgorithm.Crt, 256);
        Assert.Throws<InvalidOperationException>(() => batch.Add(RsaAlgorithm.Crt, 256));
        Assert.Equal(1, batch.Count);
    }

    [Fact]
    public void Storage_one_byte_short_or_no_capacity_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new OperationBatch(2, new byte[OperationBatch.StorageBytes(2) - 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new OperationBatch(0, Memory<byte>.Empty));
    }

    private static void AddOne(Span<byte> field)
    {
        foreach (ref byte value in field)
        {
            value++;
        }
    }
}
