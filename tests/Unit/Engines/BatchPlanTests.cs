using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class BatchPlanTests
{
    // By the number of operations, from 1 to 8: how many of them are scalar.
    [Theory]
    [InlineData(658, 1320, 2540, "1 2 0 0 1 0 0 0")]     // a CPU without IFMA, RSA-2048
    [InlineData(213, 401, 795, "1 0 0 0 1 0 0 0")]       // one with IFMA that OpenSSL uses
    [InlineData(218, 739, 1462, "1 2 3 0 1 2 3 0")]
    [InlineData(1300, 1330, 2670, "1 0 0 0 1 0 0 0")]     // that one, RSA-3072
    [InlineData(100, 400, 800, "1 2 3 4 5 6 7 8")]       // never cheaper
    [InlineData(100, 379, 800, "1 2 3 0 5 6 7 0")]       // 4 together save a twentieth, 4 of 5 do not
    [InlineData(100, 381, 800, "1 2 3 4 5 6 7 8")]       // 4 together save less
    [InlineData(1000, 500, 900, "0 0 0 0 0 0 0 0")]
    public void Cheapest_division_is_taken_for_each_number(double scalar, double half, double full, string scalarCounts)
    {
        var plan = BatchPlan.FromTimes(new EngineTimes(scalar, half, full), lanes: 8);
        Assert.Equal(scalarCounts, string.Join(' ', Enumerable.Range(1, 8).Select(plan.ScalarCount)));
    }

    [Fact]
    public void Cost_is_that_of_the_division_taken()
    {
        var plan = BatchPlan.FromTimes(new EngineTimes(213, 401, 795), lanes: 8);
        Assert.Equal([0, 213, 401, 401, 401, 614, 795, 795, 795, 795 + 213, 795 + 401], Enumerable.Range(0, 11).Select(plan.Cost));
    }

    [Fact]
    public void Two_half_passes_are_taken_where_they_cost_clearly_less_than_a_full_one()
    {
        var plan = BatchPlan.FromTimes(new EngineTimes(213, 400, 900), lanes: 8);
        Assert.Equal((4, 800), (plan.PassOperations, plan.Cost(8)));
        plan = BatchPlan.FromTimes(new EngineTimes(213, 400, 820), lanes: 8);
        Assert.Equal((8, 820), (plan.PassOperations, plan.Cost(8)));
    }

    [Theory]
    [InlineData(658, 1320, 3)]
    [InlineData(213, 401, 2)]
    [InlineData(500, 401, 1)]
    [InlineData(100, 401, null)]
    public void First_number_that_uses_SIMD_is_told(double scalar, double half, int? from) =>
        Assert.Equal(from, BatchPlan.FromTimes(new EngineTimes(scalar, half, 2 * half), lanes: 8).SimdFrom);

    [Fact]
    public void Plans_that_were_asked_for_use_one_engine_alone()
    {
        var simd = BatchPlan.Simd(lanes: 8);
        Assert.Equal((null, 1), (BatchPlan.Scalar.SimdFrom, simd.SimdFrom));
        Assert.Equal((1, 1), (BatchPlan.Scalar.MaxOperations, BatchPlan.Scalar.ScalarCount(1)));
        Assert.All(Enumerable.Range(1, 8), count => Assert.Equal(0, simd.ScalarCount(count)));

        // A full pass takes twice a half one.
        Assert.Equal((1, 2), (simd.Cost(4), simd.Cost(5)));
        Assert.Equal((1, 2), (BatchPlan.Simd(lanes: 4).Cost(2), BatchPlan.Simd(lanes: 4).Cost(3)));
        Assert.Equal((4, 5), (BatchPlan.Scalar.Cost(4), BatchPlan.Scalar.Cost(5)));
        Assert.Equal((1, 1, 8, 4), (BatchPlan.Scalar.Portion(1), BatchPlan.Scalar.Portion(9), simd.Portion(9), BatchPlan.Simd(lanes: 4).Portion(9)));
    }

    // From 1 to 4 operations.
    [Theory]
    [InlineData(500, 482, 946, "1 0 0 0", "0 1 2 3 4 4 4")]     // RSA-2048 without IFMA
    [InlineData(213, 482, 946, "1 2 3 4", "0 1 1 1 1 1 1")]     // with it
    [InlineData(500, 600, 1150, "1 0 1 0", "0 1 2 2 4 4 4")]
    [InlineData(500, 600, 1300, "1 0 1 0", "0 1 2 2 2 2 2")]     // two half passes save more than a twentieth
    public void Plan_of_four_lanes_has_half_passes_of_two(double scalar, double half, double full, string scalarCounts, string portions)
    {
        var plan = BatchPlan.FromTimes(new EngineTimes(scalar, half, full), lanes: 4);
        Assert.Equal(4, plan.MaxOperations);
        Assert.Equal(scalarCounts, string.Join(' ', Enumerable.Range(1, 4).Select(plan.ScalarCount)));
        Assert.Equal(portions, string.Join(' ', Enumerable.Range(0, 7).Select(plan.Portion)));
        Assert.Equal(plan.Cost(4) + plan.Cost(3), plan.Cost(7));
    }

    [Theory]
    [InlineData(658, 1320, 2540, "0 1 1 3 4 4 6 7 8 8")]
    [InlineData(213, 401, 795, "0 1 2 3 4 4 6 7 8 8")]
    [InlineData(213, 400, 900, "0 1 2 3 4 4 4 4 4 4")]
    [InlineData(100, 400, 800, "0 1 1 1 1 1 1 1 1 1")]
    public void Portion_is_a_pass_without_what_goes_beside_it_or_one_scalar_operation(double scalar, double half, double full, string portions)
    {
        var plan = BatchPlan.FromTimes(new EngineTimes(scalar, half, full), lanes: 8);
        Assert.Equal(portions, string.Join(' ', Enumerable.Range(0, 10).Select(plan.Portion)));
    }
}
