using WarpProxy.Live;

namespace WarpProxy.Tests.Unit.Live;

public sealed class DurationHistogramTests
{
    [Fact]
    public void Buckets_follow_each_other_without_a_gap_and_none_is_wider_than_an_eighth()
    {
        for (int bucket = 0; bucket < DurationHistogram.BucketCount; bucket++)
        {
            (long first, long behind) = (DurationHistogram.LowerBound(bucket), DurationHistogram.LowerBound(bucket + 1));
            Assert.True(behind > first, $"bucket {bucket}: {first} to {behind}");
            Assert.True(behind - first <= Math.Max(first / 8, 1), $"bucket {bucket}: {first} to {behind}");
            Assert.Equal(bucket, DurationHistogram.BucketOf(first));
            Assert.Equal(bucket, DurationHistogram.BucketOf(behind - 1));
        }
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(long.MaxValue, DurationHistogram.BucketCount - 1)]
    public void What_is_beyond_the_ends_is_counted_at_them(long microseconds, int bucket) => Assert.Equal(bucket, DurationHistogram.BucketOf(microseconds));

    [Theory]
    [InlineData(1)]
    [InlineData(20261121)]
    public void Percentiles_are_right_within_an_eighth(int seed)
    {
        var random = new Random(seed);
        var histogram = new DurationHistogram();
        double[] durations = [.. Enumerable.Range(0, 20_000).Select(_ => 50 * Math.Exp(random.NextDouble() * 9))];      // 50 us to 0.4 s
        Array.ForEach(durations, duration => histogram.Record(TimeSpan.FromMicroseconds(duration)));
        Array.Sort(durations);
        uint[] counts = Copy(histogram);
        foreach (double share in new[] { 0.01, 0.5, 0.9, 0.99, 0.999 })
        {
            double exact = durations[(int)(share * durations.Length)];
            Assert.InRange(DurationHistogram.Percentile(counts, share)!.Value, exact * 0.87, exact * 1.13);
        }
    }

    [Fact]
    public void One_duration_is_every_percentile()
    {
        var histogram = new DurationHistogram();
        histogram.Record(TimeSpan.FromMilliseconds(3));
        uint[] counts = Copy(histogram);
        Assert.All(new[] { 0, 0.5, 1 }, share => Assert.InRange(DurationHistogram.Percentile(counts, share)!.Value, 2816, 3072));
    }

    [Fact]
    public void Without_durations_there_is_no_percentile() => Assert.Null(DurationHistogram.Percentile(new uint[DurationHistogram.BucketCount], 0.5));

    [Fact]
    public async Task Threads_count_together()
    {
        var histogram = new DurationHistogram();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                histogram.Record(TimeSpan.FromMicroseconds(100));
            }
        })));
        Assert.Equal(40_000u, Copy(histogram)[DurationHistogram.BucketOf(100)]);
    }

    private static uint[] Copy(DurationHistogram histogram)
    {
        uint[] counts = new uint[DurationHistogram.BucketCount];
        histogram.CopyTo(counts);
        return counts;
    }
}
