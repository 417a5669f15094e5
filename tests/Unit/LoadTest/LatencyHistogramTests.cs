using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>Percentiles against the exact ones of the same values, sorted.</summary>
public sealed class LatencyHistogramTests
{
    private const double AllowedError = 0.01;
    private const int Seed = 20_241;

    private static readonly double[] Percentiles = [0, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100];

    [Fact]
    public void Percentiles_of_a_uniform_distribution_are_within_one_percent()
    {
        var random = new Random(Seed);
        AssertPercentiles([.. Enumerable.Range(0, 100_000).Select(_ => random.NextInt64(1_000, 50_000_000))]);
    }

    [Fact]
    public void Percentiles_of_an_exponential_distribution_are_within_one_percent()
    {
        var random = new Random(Seed);
        AssertPercentiles([.. Enumerable.Range(0, 100_000).Select(_ => 1_000 + (long)(-Math.Log(1 - random.NextDouble()) * 3_000_000))]);
    }

    [Fact]
    public void Percentiles_of_values_from_a_microsecond_to_a_hundred_seconds_are_within_one_percent()
    {
        var random = new Random(Seed);
        AssertPercentiles([.. Enumerable.Range(0, 100_000).Select(_ => (long)Math.Pow(10, 3 + (random.NextDouble() * 8)))]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(1_000)]
    [InlineData(123_456_789)]
    [InlineData(100_000_000_000)]
    public void All_percentiles_of_a_constant_are_the_constant(long value)
    {
        var histogram = new LatencyHistogram();
        for (int i = 0; i < 1_000; i++)
        {
            histogram.Record(value);
        }

        Assert.All(Percentiles, percentile => Assert.Equal(value, histogram.ValueAt(percentile)));
        Assert.Equal(value, (long)histogram.Mean());
    }

    [Fact]
    public void Every_power_of_two_and_its_neighbours_are_within_one_percent_in_a_bucket_that_holds_them()
    {
        for (int bit = 0; bit < 40; bit++)
        {
            foreach (long value in new[] { (1L << bit) - 1, 1L << bit, (1L << bit) + 1 })
            {
                var histogram = new LatencyHistogram();
                histogram.Record(value);
                LatencyBucket bucket = Assert.Single(histogram.Buckets);
                Assert.InRange(value, bucket.From, bucket.To - 1);
                Assert.True(bucket.To - bucket.From <= Math.Max(1, bucket.From * AllowedError), $"{bucket} is too wide");
            }
        }
    }

    [Fact]
    public void Buckets_touch_each_other()
    {
        var histogram = new LatencyHistogram();
        for (long value = 0; value < 1_000_000; value = Math.Max(value + 1, value + (value / 300)))
        {
            histogram.Record(value);
        }

        LatencyBucket[] buckets = [.. histogram.Buckets];
        Assert.All(buckets.Zip(buckets.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
        Assert.Equal(histogram.Count, buckets.Sum(bucket => bucket.Count));
    }

    [Fact]
    public void One_slow_of_a_thousand_is_the_maximum_and_not_the_99_9th_percentile()
    {
        var histogram = new LatencyHistogram();
        for (int i = 0; i < 999; i++)
        {
            histogram.Record(1_000);
        }

        histogram.Record(5_000_000);
        Assert.InRange(histogram.ValueAt(99.9), 990, 1_010);
        Assert.Equal(5_000_000, histogram.ValueAt(99.91));
        Assert.Equal(5_000_000, histogram.Max);
    }

    [Fact]
    public void Merged_histograms_equal_one_that_recorded_everything()
    {
        var random = new Random(Seed);
        LatencyHistogram[] parts = [new(), new(), new()];
        var whole = new LatencyHistogram();
        for (int i = 0; i < 30_000; i++)
        {
            long value = random.NextInt64(10, 1_000_000_000);
            parts[i % 2].Record(value); // the third stays empty
            whole.Record(value);
        }

        var merged = new LatencyHistogram();
        foreach (LatencyHistogram part in parts)
        {
            merged.Add(part);
        }

        Assert.Equal(whole.Buckets, merged.Buckets);
        Assert.Equal((whole.Count, whole.Min, whole.Max), (merged.Count, merged.Min, merged.Max));
        Assert.All(Percentiles, percentile => Assert.Equal(whole.ValueAt(percentile), merged.ValueAt(percentile)));
    }

    [Fact]
    public void Empty_histogram_is_all_zero()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(new LatencyHistogram());
        Assert.Equal((0L, 0L, 0L, 0L), (histogram.Count, histogram.Min, histogram.Max, histogram.ValueAt(99)));
        Assert.Equal(0, histogram.Mean());
        Assert.Empty(histogram.Buckets);
    }

    [Fact]
    public void Cleared_histogram_equals_a_new_one()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(77);
        histogram.Clear();
        histogram.Record(5);
        Assert.Equal((1L, 5L, 5L, 5L), (histogram.Count, histogram.Min, histogram.Max, histogram.ValueAt(50)));
    }

    [Fact]
    public void Values_beyond_the_ends_are_kept_as_minimum_and_maximum()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(-5);
        histogram.Record(long.MaxValue);
        Assert.Equal((0L, long.MaxValue, 2L), (histogram.Min, histogram.Max, histogram.Count));
        Assert.Equal(0, histogram.ValueAt(50));
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100_000; i++)
        {
            histogram.Record(i * 997L);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void AssertPercentiles(long[] values)
    {
        var histogram = new LatencyHistogram();
        foreach (long value in values)
        {
            histogram.Record(value);
        }

        Array.Sort(values);
        foreach (double percentile in Percentiles)
        {
            long exact = values[Math.Max(0, (int)Math.Ceiling(Math.Round(percentile / 100 * values.Length, 6)) - 1)];
            double error = Math.Abs(histogram.ValueAt(percentile) - exact) / (double)exact;
            Assert.True(error < AllowedError, $"p{percentile} is {histogram.ValueAt(percentile)}, exactly {exact}: off by {error:P2}");
        }

        double mean = values.Average();
        Assert.InRange(histogram.Mean(), mean * (1 - AllowedError), mean * (1 + AllowedError));
    }
}
