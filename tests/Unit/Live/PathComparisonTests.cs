using WarpProxy.Live;
using WarpProxy.Telemetry;

namespace WarpProxy.Tests.Unit.Live;

public sealed class PathComparisonTests
{
    private readonly HandshakeStatistics _statistics = new();
    private readonly StatisticsSnapshot _now = new();

    [Fact]
    public void Size_that_both_paths_had_most_of_is_compared()
    {
        Record(100, HandshakePath.Device, 2048);
        Record(5, HandshakePath.Software, 4096);
        Record(5, HandshakePath.Device, 4096);
        PathComparison comparison = Compare();
        Assert.Equal((4096, 5, 5, true), (comparison.Bits, comparison.Device.Count, comparison.Software.Count, comparison.HasOtherSizes));
    }

    [Fact]
    public void Size_with_the_most_handshakes_is_told_of_when_none_had_both_paths()
    {
        Record(3, HandshakePath.Device, 2048);
        Record(9, HandshakePath.Software, 3072);
        PathComparison comparison = Compare();
        Assert.Equal((3072, 0, 9), (comparison.Bits, comparison.Device.Count, comparison.Software.Count));
        Assert.Null(comparison.Device.Cpu);
    }

    [Fact]
    public void Sizes_that_are_counted_together_have_no_name()
    {
        Record(1, HandshakePath.Device, 8192);
        Assert.Equal((null, 1L, false), (Compare().Bits, Compare().Device.Count, Compare().HasOtherSizes));
    }

    [Fact]
    public void Engines_of_this_process_cost_what_their_threads_used()
    {
        Record(10, HandshakePath.Device, 2048);
        _now.Engines.Operations[0] = 10;
        _now.Engines.ComputeNanoseconds[0] = 8_000_000;
        _now.Engines.ThreadNanoseconds = 10_000_000;        // a fifth was spent looking for work
        PathComparison comparison = Compare();
        Assert.Equal(1.0, comparison.Device.EngineCpu!.Value, 6);
        Assert.Equal(0.5, comparison.Device.OwnCpu!.Value, 6);
        Assert.Equal(1.5, comparison.Device.Cpu!.Value, 6);
        Assert.Null(comparison.Software.EngineCpu);
    }

    [Fact]
    public void Engines_that_computed_half_of_the_handshakes_cost_half()
    {
        Record(10, HandshakePath.Device, 2048);
        _now.Engines.Operations[0] = 5;
        _now.Engines.ComputeNanoseconds[0] = _now.Engines.ThreadNanoseconds = 5_000_000;
        Assert.Equal(0.5, Compare().Device.EngineCpu!.Value, 6);
    }

    [Fact]
    public void Time_between_computations_is_shared_by_the_sizes_as_their_computing_is()
    {
        Record(1, HandshakePath.Device, 2048);
        (_now.Engines.Operations[0], _now.Engines.Operations[2]) = (1, 1);
        (_now.Engines.ComputeNanoseconds[0], _now.Engines.ComputeNanoseconds[2]) = (1_000_000, 3_000_000);
        _now.Engines.ThreadNanoseconds = 8_000_000;
        Assert.Equal(2.0, Compare().Device.EngineCpu!.Value, 6);
    }

    private void Record(int count, string path, int bits)
    {
        for (int i = 0; i < count; i++)
        {
            _statistics.Record(LiveHandshakes.Make(path, 1, processorMs: 0.5, bits: bits));
        }
    }

    private PathComparison Compare()
    {
        _statistics.CopyTo(_now);
        return PathComparison.Of(_now);
    }
}
