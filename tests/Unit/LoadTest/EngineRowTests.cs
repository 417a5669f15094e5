using WarpProxy.LoadTest.Engines;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>The arithmetic of <c>warp-loadtest engines</c>.</summary>
public sealed class EngineRowTests
{
    [Fact]
    public void Ratio_is_the_median_of_the_ratios_within_rounds()
    {
        // The second round was slow for both alike: its ratio says so, a ratio of medians would not.
        EngineRow row = EngineRow.FromRounds("simd", 2048, batch: 8, passCapacity: 8, Ms(4, 12, 5), Ms(1, 3, 1));
        Assert.Equal(2, row.RatioToOpenSsl, 1e-9);
        Assert.Equal(1.6, row.LowestRatio, 1e-9);
        Assert.Equal(2, row.HighestRatio, 1e-9);
    }

    [Fact]
    public void Latency_and_rate_are_those_of_the_median_pass()
    {
        EngineRow row = EngineRow.FromRounds("simd", 2048, batch: 8, passCapacity: 8, Ms(5, 4, 12), Ms(1, 1, 1));
        Assert.Equal(5, row.BatchLatencyMs, 1e-9);
        Assert.Equal(8 / 0.005, row.OpsPerSecond, 1e-6);
    }

    [Fact]
    public void Row_of_openssl_itself_has_the_ratio_one_and_no_break_even()
    {
        EngineRow row = EngineRow.FromRounds("openssl", 2048, batch: 1, passCapacity: 1, Ms(3, 7), Ms(3, 7));
        Assert.Equal((1, 1, 1), (row.RatioToOpenSsl, row.LowestRatio, row.HighestRatio));
        Assert.Null(row.BreakEven);
    }

    [Theory]
    [InlineData(0.9, 1)]   // faster even alone
    [InlineData(1.0, 2)]   // as fast alone: not faster
    [InlineData(2.1, 3)]
    [InlineData(3.9, 4)]
    [InlineData(4.0, null)] // four take as long one after the other, and a fifth has no lane
    [InlineData(9.0, null)]
    public void Break_even_is_the_first_number_above_what_openssl_computes_meanwhile(double openSslOperationsPerPass, int? expected) =>
        Assert.Equal(expected, EngineRow.FindBreakEven(openSslOperationsPerPass, passCapacity: 4));

    [Fact]
    public void Break_even_of_a_lone_operation_counts_the_lanes_left_free()
    {
        // A pass of 5 ms has room for four operations of 2 ms each.
        EngineRow row = EngineRow.FromRounds("simd", 2048, batch: 1, passCapacity: 4, Ms(5), Ms(2));
        Assert.Equal(0.4, row.RatioToOpenSsl, 1e-9);
        Assert.Equal(3, row.BreakEven);
    }

    [Theory]
    [InlineData(new[] { 3.0 }, 3)]
    [InlineData(new[] { 1.0, 2.0 }, 1.5)]
    [InlineData(new[] { 1.0, 2.0, 9.0 }, 2)]
    public void Median_of_an_even_number_lies_between_the_middle_two(double[] sorted, double expected) =>
        Assert.Equal(expected, EngineRow.Median(sorted));

    [Theory]
    [InlineData("2048", new[] { 2048 })]
    [InlineData("4096,2048", new[] { 4096, 2048 })]
    public void Sizes_are_taken_in_the_order_given(string text, int[] expected)
    {
        Assert.True(EngineSizes.TryParse(text, out int[] sizes));
        Assert.Equal(expected, sizes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1024")]
    [InlineData("2048,")]
    [InlineData("2048,2048")]
    [InlineData("-2048")]
    [InlineData("large")]
    public void Other_sizes_are_refused(string text) => Assert.False(EngineSizes.TryParse(text, out _));

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData(":~0x200000", true)]         // AVX-512 IFMA itself
    [InlineData(":~2097152", true)]
    [InlineData(":~0x10000", true)]          // AVX-512F
    [InlineData(":~0x20000000", false)]      // SHA
    [InlineData("~0x200000:~0x20000000", false)]
    [InlineData(":0x80230000", false)]
    [InlineData(":0", true)]
    [InlineData("~0x200000", true)]          // without a second part nothing of leaf 7 is used
    public void Mask_of_the_environment_tells_whether_openssl_may_use_ifma(string? capabilities, bool isMasked) =>
        Assert.Equal(isMasked, ProcessorFacts.IsIfmaMasked(capabilities));

    private static TimeSpan[] Ms(params double[] times) => [.. times.Select(TimeSpan.FromMilliseconds)];
}
