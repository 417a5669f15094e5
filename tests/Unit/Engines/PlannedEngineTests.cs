using System.Numerics;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class PlannedEngineTests : IDisposable
{
    // Up to 2 scalar, 4 together, 5 as 4 and 1, then 8 together.
    private static readonly BatchPlan Plan = BatchPlan.FromTimes(new EngineTimes(658, 1320, 2540), lanes: 8);

    private readonly CountingEngine _scalar = new(1);
    private readonly CountingEngine _simd = new(8);

    public void Dispose()
    {
        _scalar.Dispose();
        _simd.Dispose();
    }

    [Theory]
    [InlineData(1, "0", "")]
    [InlineData(2, "0,1", "")]
    [InlineData(3, "", "0,1,2")]
    [InlineData(5, "0", "1,2,3,4")]
    [InlineData(6, "", "0,1,2,3,4,5")]
    [InlineData(9, "8", "0,1,2,3,4,5,6,7")]
    [InlineData(13, "8", "0,1,2,3,4,5,6,7 9,10,11,12")]
    public void Batch_is_divided_by_the_plan_eight_at_a_time(int count, string scalar, string simd)
    {
        Execute(Plan, [.. Enumerable.Repeat((RsaAlgorithm.Crt, 256), count)]);
        AssertCalls(scalar, simd);
    }

    [Fact]
    public void Operations_of_one_algorithm_and_size_go_together_wherever_they_stand_in_the_batch()
    {
        Execute(
            Plan,
            (RsaAlgorithm.Crt, 256), (RsaAlgorithm.Crt, 512), (RsaAlgorithm.Crt, 256), (RsaAlgorithm.Plain, 256),
            (RsaAlgorithm.Crt, 256), (RsaAlgorithm.Crt, 512), (RsaAlgorithm.Crt, 128), (RsaAlgorithm.Crt, 512));
        AssertCalls("3 6", "0,2,4 1,5,7");
    }

    [Fact]
    public void Half_passes_are_given_to_the_engine_one_by_one_where_they_are_cheaper()
    {
        Execute(BatchPlan.FromTimes(new EngineTimes(300, 400, 900), lanes: 8), [.. Enumerable.Repeat((RsaAlgorithm.Crt, 384), 7)]);
        AssertCalls("", "0,1,2,3 4,5,6");
    }

    [Fact]
    public void What_the_SIMD_engine_refuses_is_computed_by_the_scalar_one()
    {
        using var refusing = new CountingEngine(8, RsaStatus.Unsupported);
        using var engine = new PlannedEngine(_scalar, refusing, Plans(Plan));
        OperationBatch batch = Fill((RsaAlgorithm.Crt, 256), (RsaAlgorithm.Crt, 256), (RsaAlgorithm.Crt, 256), (RsaAlgorithm.Crt, 256), (RsaAlgorithm.Crt, 256));
        engine.Execute(batch);
        Assert.Equal("0 1,2,3,4", Text(_scalar));
        Assert.All(Enumerable.Range(0, 5), index => Assert.Equal(RsaStatus.Done, batch[index].Status));
    }

    [Fact]
    public void Cost_is_the_plans_for_what_has_one_and_the_number_for_the_rest()
    {
        using var engine = new PlannedEngine(_scalar, _simd, Plans(Plan));
        Assert.Equal(1320, engine.Cost(RsaAlgorithm.Crt, 256, 4));
        Assert.Equal(4, engine.Cost(RsaAlgorithm.Crt, 128, 4));
        Assert.Equal(4, engine.Cost(RsaAlgorithm.Plain, 256, 4));
    }

    [Fact]
    public void Portion_is_the_plans_for_what_has_one_and_one_operation_for_the_rest()
    {
        using var engine = new PlannedEngine(_scalar, _simd, Plans(Plan));
        Assert.Equal(4, engine.Portion(RsaAlgorithm.Crt, 256, 5));
        Assert.Equal(1, engine.Portion(RsaAlgorithm.Crt, 128, 5));
        Assert.Equal(1, engine.Portion(RsaAlgorithm.Plain, 256, 5));
    }

    [Fact]
    public void Both_engines_are_disposed_with_it()
    {
        new PlannedEngine(_scalar, _simd, Plans(Plan)).Dispose();
        Assert.True(_scalar.IsDisposed && _simd.IsDisposed);
    }

    [Fact]
    public void Nothing_is_allocated_per_batch()
    {
        using var engine = new PlannedEngine(new ScalarEngine(), new ScalarEngine(), Plans(Plan));
        OperationBatch batch = Fill([.. Enumerable.Repeat((RsaAlgorithm.Crt, 256), 5), (RsaAlgorithm.Plain, 256), (RsaAlgorithm.Crt, 512)]);
        for (int warmUp = 0; warmUp < 3; warmUp++)
        {
            engine.Execute(batch);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            engine.Execute(batch);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Batch_is_divided_four_at_a_time_for_an_engine_of_four_lanes()
    {
        using var simd = new CountingEngine(4);
        using var engine = new PlannedEngine(_scalar, simd, Plans(BatchPlan.FromTimes(new EngineTimes(500, 600, 1150), lanes: 4)));
        engine.Execute(Fill([.. Enumerable.Repeat((RsaAlgorithm.Crt, 256), 11)]));
        Assert.Equal(("8", "0,1,2,3 4,5,6,7 9,10"), (Text(_scalar), Text(simd)));
        Assert.Equal(4, engine.Lanes);
    }

    [Fact]
    public void Every_number_of_operations_of_mixed_sizes_is_computed_right_by_scalar_engines_alone() => AssertMixturesComputed(new ScalarEngine(), Plan);

    [SimdTheory, WidthData]
    public void Every_number_of_operations_of_mixed_sizes_is_computed_right_by_the_real_engines(SimdWidth width) =>
        AssertMixturesComputed(new SimdEngine(width), BatchPlan.FromTimes(new EngineTimes(658, 1320, 2540), width.Lanes));

    private static void AssertMixturesComputed(ISelectiveEngine simd, BatchPlan plan)
    {
        using var engine = new PlannedEngine(new ScalarEngine(), simd, Plans(plan));
        var random = new Random(11);
        var keys = ((int[])[128, 256, 384, 512]).Select(EngineKeys.OfBytes).ToArray();
        var batch = new OperationBatch(16, new byte[OperationBatch.StorageBytes(16)]);
        for (int count = 1; count <= 16; count++)
        {
            batch.Clear();
            var expected = new List<BigInteger>();
            for (int i = 0; i < count; i++)
            {
                EngineKey key = keys[random.Next(keys.Length)];
                BigInteger input = EngineKey.Below(key.N, key.ModulusBytes, random);
                bool isPlain = random.Next(4) == 0;
                _ = isPlain ? key.AddPlain(batch, 65537, input) : key.AddCrt(batch, input);
                expected.Add(isPlain ? BigInteger.ModPow(input, 65537, key.N) : key.CrtFormula(input));
            }

            engine.Execute(batch);
            Assert.All(expected.Index(), item =>
                Assert.Equal((RsaStatus.Done, item.Item), (batch[item.Index].Status, EngineKey.Number(batch.Output(item.Index)))));
        }
    }

    private static Dictionary<int, BatchPlan> Plans(BatchPlan plan) => new() { [2048] = plan, [3072] = plan, [4096] = plan };

    private static OperationBatch Fill(params (RsaAlgorithm Algorithm, int ModulusBytes)[] operations)
    {
        var batch = new OperationBatch(16, new byte[OperationBatch.StorageBytes(16)]);
        foreach ((RsaAlgorithm algorithm, int modulusBytes) in operations)
        {
            batch.Add(algorithm, modulusBytes);
        }

        return batch;
    }

    private static string Text(CountingEngine engine) => string.Join(' ', engine.Calls.Select(call => string.Join(',', call)));

    private void Execute(BatchPlan plan, params (RsaAlgorithm Algorithm, int ModulusBytes)[] operations)
    {
        using var engine = new PlannedEngine(_scalar, _simd, Plans(plan));
        engine.Execute(Fill(operations));
    }

    private void AssertCalls(string scalar, string simd) => Assert.Equal((scalar, simd), (Text(_scalar), Text(_simd)));
}
