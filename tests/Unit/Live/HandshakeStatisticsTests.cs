using WarpProxy.Live;
using WarpProxy.Telemetry;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Live;

public sealed class HandshakeStatisticsTests
{
    private readonly HandshakeStatistics _statistics = new();

    [Theory]
    [InlineData(2048, 0)]
    [InlineData(3072, 1)]
    [InlineData(4096, 2)]
    [InlineData(2056, 3)]
    [InlineData(8192, 3)]
    public void Handshakes_are_counted_by_path_and_key_size(int bits, int size)
    {
        _statistics.Record(LiveHandshakes.Make(HandshakePath.Device, 1, processorMs: 0.2, bits: bits));
        _statistics.Record(LiveHandshakes.Make(HandshakePath.Software, 2, processorMs: 0.7, bits: bits));
        _statistics.Record(LiveHandshakes.Make(HandshakePath.None, 1));
        var now = new StatisticsSnapshot();
        _statistics.CopyTo(now);
        int device = HandshakeStatistics.ClassOf(true, size);
        int software = HandshakeStatistics.ClassOf(false, size);
        Assert.Equal((1, 1, 1), (now.Counts[device], now.Counts[software], now.Others));
        Assert.Equal((2, 1L, 1L), ((int)now.Counts.Sum(), now.CountOf(true), now.CountOf(false)));
        Assert.Equal((200_000, 700_000), (now.ProcessorNanoseconds[device], now.ProcessorNanoseconds[software]));
        Assert.InRange(DurationHistogram.Percentile(now.DurationsOf(device), 0.5)!.Value, 1750, 2250);      // the client's part is in it
        Assert.InRange(DurationHistogram.Percentile(now.DurationsOf(software), 0.5)!.Value, 3500, 4500);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 8)]
    [InlineData(16, 16)]
    [InlineData(64, 16)]
    public void Batches_are_counted_by_size(int size, int place)
    {
        _statistics.RecordBatch(size);
        var now = new StatisticsSnapshot();
        _statistics.CopyTo(now);
        Assert.Equal(1, now.Batches[place]);
        Assert.Equal(1, now.Batches.Sum());
    }

    [Fact]
    public void What_came_between_two_moments_is_their_difference()
    {
        var (before, after, difference) = (new StatisticsSnapshot(), new StatisticsSnapshot(), new StatisticsSnapshot());
        _statistics.Record(LiveHandshakes.Make(HandshakePath.Device, 1, processorMs: 1));
        _statistics.CopyTo(before);
        before.Fallbacks = new Dictionary<string, long> { ["deadline"] = 2 };
        _statistics.Record(LiveHandshakes.Make(HandshakePath.Device, 100, processorMs: 5));
        _statistics.RecordBatch(4);
        _statistics.CopyTo(after);
        after.Fallbacks = new Dictionary<string, long> { ["deadline"] = 3, ["wrong_result"] = 1 };
        difference.SetDifference(before, after);
        Assert.Equal((1, 0), (difference.CountOf(true), difference.CountOf(false)));
        Assert.Equal(5_000_000, difference.ProcessorNanoseconds.Sum());
        Assert.Equal(1, difference.Batches[4]);
        Assert.InRange(DurationHistogram.Percentile(difference.DurationsOf(0), 0.01)!.Value, 175_000, 225_000);
        Assert.Equal(new Dictionary<string, long> { ["deadline"] = 1, ["wrong_result"] = 1 }, difference.Fallbacks);
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        // The slowest first: from then on none gets onto the board, whose list is full; and while it fills, too.
        Handshake[] handshakes = [.. Enumerable.Range(1, 100).Reverse().Select(i => LiveHandshakes.Make(i % 2 == 0 ? HandshakePath.Device : HandshakePath.Software, i, 1))];
        _statistics.Record(handshakes[0]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 10; round++)
        {
            foreach (Handshake handshake in handshakes)
            {
                _statistics.Record(handshake, LiveHandshakes.Begun + 1);
                _statistics.RecordBatch(round);
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        var now = new StatisticsSnapshot();
        _statistics.CopyTo(now);
        Assert.Equal(1001, now.Counts.Sum());
    }

    [Fact]
    public void Looking_at_the_counts_allocates_nothing()
    {
        var (now, difference) = (new StatisticsSnapshot(), new StatisticsSnapshot());
        var ring = new SnapshotRing(3);
        uint[] durations = new uint[DurationHistogram.BucketCount];
        _statistics.Record(LiveHandshakes.Make(HandshakePath.Device, 1));
        void Look()
        {
            _statistics.CopyTo(now);
            ring.Add(now);
            difference.CopyFrom(ring.Oldest);
            difference.SumDurations(true, durations);
            DurationHistogram.Percentile(durations, 0.99);
        }

        Look();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Look();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
