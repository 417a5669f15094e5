using WarpDrive.Driver;
using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

public sealed class PathComparisonTests
{
    [Theory]
    [InlineData(0.5, 1000, 500)]
    [InlineData(0.1, 1000, 100)]
    [InlineData(0.9, 1000, 900)]
    [InlineData(0.333333, 3000, 1000)]
    public void Share_of_the_devices_is_exact_and_even(double share, int count, int expected)
    {
        var comparison = new PathComparison(share);
        bool[] device = [.. Enumerable.Range(0, count).Select(_ => comparison.TakeDevice())];
        Assert.InRange(device.Count(static one => one), expected - 1, expected + 1);
        Assert.InRange(device.Take(count / 2).Count(static one => one), (expected / 2) - 1, (expected / 2) + 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Share_that_compares_nothing_is_refused(double share) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PathComparison(share));

    [Fact]
    public void Operations_go_each_way_and_whoever_watches_is_told_which()
    {
        var counters = new OperationCounters();
        var observer = new Watcher();
        SoftwareRsaKey software = TestKeys.Software(1024);
        int asked = 0;
        using var other = TestKeys.Software(1024);
        using var key = new OffloadedRsaKey(software, counters, (input, output) =>
        {
            asked++;
            other.Private(input, output);
            return AcceleratorError.None;
        })
        {
            Comparison = new PathComparison(0.5), Observer = observer,
        };
        byte[] output = new byte[128];
        for (int i = 0; i < 10; i++)
        {
            key.Private(new byte[128], output, RsaUse.PssSignature);
        }

        Assert.Equal(5, asked);
        Assert.Equal((5, 5), (counters.Snapshot().Device, counters.Snapshot().Software));
        Assert.All(counters.Snapshot().Fallback.Values, static count => Assert.Equal(0, count));
        Assert.Equal(5, observer.Results.Count(static one => one.IsOnDevice));
        Assert.All(observer.Results, static one => Assert.Equal((RsaUse.PssSignature, 1024, AcceleratorError.None, false), (one.Use, one.ModulusBits, one.Error, one.HasFailed)));
        Assert.All(observer.SoftwareTimes, static time => Assert.True(time.Begun <= time.Software && time.Software <= time.Ended));
    }

    [Fact]
    public void Failure_and_fallback_are_told_with_their_reason()
    {
        var observer = new Watcher();
        using (var key = new OffloadedRsaKey(TestKeys.Software(1024), new OperationCounters(), (_, _) => AcceleratorError.Busy) { Observer = observer })
        {
            key.Private(new byte[128], new byte[128]);
        }

        using (var key = new OffloadedRsaKey(TestKeys.Software(1024), new OperationCounters(), (_, _) => AcceleratorError.Busy) { Observer = observer, HasFallback = false })
        {
            Assert.Throws<OpenSslException>(() => key.Private(new byte[128], new byte[128]));
        }

        Assert.Equal([(AcceleratorError.Busy, false), (AcceleratorError.Busy, true)], observer.Results.Select(static one => (one.Error, one.HasFailed)));
    }

    private sealed class Watcher : IOperationObserver
    {
        private readonly OperationTimeline _timeline = new();

        public List<OperationResult> Results { get; } = [];

        public List<(long Begun, long Software, long Ended)> SoftwareTimes { get; } = [];

        public OperationTimeline? Watch() => _timeline;

        public void Record(OperationTimeline timeline, in OperationResult result)
        {
            Results.Add(result);
            if (timeline.SoftwareBegun != 0)
            {
                SoftwareTimes.Add((timeline.Begun, timeline.SoftwareBegun, timeline.Ended));
            }
        }
    }
}
