using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class EngineSelfTestTests
{
    [Fact]
    public void Scalar_engine_passes()
    {
        using var engine = new ScalarEngine();
        Assert.True(EngineSelfTest.Run(engine, out string? failure), failure);
        Assert.Null(failure);
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Flipped_bit_fails_each_size_and_algorithm_by_name(int modulusBytes)
    {
        foreach (RsaAlgorithm algorithm in (RsaAlgorithm[])[RsaAlgorithm.Crt, RsaAlgorithm.Plain])
        {
            AssertFails($"{algorithm} {modulusBytes * 8} bits, operation 1 of 4: the number is wrong.", batch =>
            {
                if (batch[0].Algorithm == algorithm && batch[0].ModulusBytes == modulusBytes)
                {
                    batch.Output(0)[modulusBytes / 3] ^= 0x10;
                }
            });
        }
    }

    [Fact]
    public void Flipped_bit_in_the_last_lane_fails() =>
        AssertFails("Crt 1024 bits, operation 8 of 8: the number is wrong.", batch => batch.Output(batch.Count - 1)[0] ^= 1, lanes: 8);

    [Fact]
    public void Flipped_bit_fails_also_when_only_half_of_four_lanes_are_used_and_then_for_the_last_inputs()
    {
        int halfBatches = 0;
        AssertFails(
            "Crt 1024 bits, operation 2 of 2: the number is wrong.",
            batch => batch.Output(1)[0] ^= (byte)(batch.Count == 2 && ++halfBatches == 2 ? 1 : 0),
            lanes: 4);
    }

    [Fact]
    public void Lanes_that_all_answer_for_the_first_fail() =>
        AssertFails("Crt 1024 bits, operation 2 of 4: the number is wrong.", batch =>
        {
            for (int index = 1; index < batch.Count && batch[index].ModulusBytes == batch[0].ModulusBytes; index++)
            {
                batch.Output(0).CopyTo(batch.Output(index));
            }
        });

    [Fact]
    public void Operations_of_different_sizes_that_disturb_each_other_fail() =>
        AssertFails("Crt 4096 bits, operation 7 of 8: the number is wrong.", batch =>
        {
            if (batch[0].ModulusBytes != batch[batch.Count - 1].ModulusBytes)
            {
                batch.Output(6)[511] ^= 1;
            }
        });

    [Fact]
    public void Right_number_with_a_wrong_status_fails() =>
        AssertFails("Crt 1024 bits, operation 2 of 4: it ended as BadInput.", batch => batch[1].Status = RsaStatus.BadInput);

    [Fact]
    public void Engine_that_computes_nothing_fails() =>
        AssertFails("It computes no size and no algorithm.", batch =>
        {
            for (int index = 0; index < batch.Count; index++)
            {
                batch[index].Status = RsaStatus.Unsupported;
            }
        });

    [Fact]
    public void Engine_of_one_algorithm_passes_by_what_it_computes()
    {
        using var engine = new AlteredEngine(4, batch =>
        {
            for (int index = 0; index < batch.Count; index++)
            {
                batch[index].Status = batch[index].Algorithm == RsaAlgorithm.Plain ? RsaStatus.Unsupported : batch[index].Status;
            }
        });
        Assert.True(EngineSelfTest.Run(engine, out string? failure), failure);
    }

    private static void AssertFails(string expected, Action<OperationBatch> alter, int lanes = 1)
    {
        using var engine = new AlteredEngine(lanes, alter);
        Assert.False(EngineSelfTest.Run(engine, out string? failure));
        Assert.Equal(expected, failure);
    }

    /// <summary>The scalar engine, with something done to the batch after it.</summary>
    private sealed class AlteredEngine(int lanes, Action<OperationBatch> alter) : IRsaEngine
    {
        private readonly ScalarEngine _engine = new();

        public string Name => "altered";

        public int Lanes => lanes;

        public void Execute(OperationBatch batch)
        {
            _engine.Execute(batch);
            alter(batch);
        }

        public void Dispose() => _engine.Dispose();
    }
}
