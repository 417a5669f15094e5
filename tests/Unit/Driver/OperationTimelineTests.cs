using System.Diagnostics;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>What is believed of what a device says of its batches.</summary>
public sealed class OperationTimelineTests
{
    [Fact]
    public void Batch_that_fits_between_doorbell_and_completion_is_believed()
    {
        OperationTimeline timeline = Posted();
        long ended = Wait();
        timeline.RecordReap(Completion(size: 8, computedAt: (uint)ended, microseconds: 0));
        Assert.Equal(8, timeline.BatchSize);
        Assert.Equal(ended, timeline.ComputeEnded);
        Assert.Equal(ended, timeline.ComputeBegun);
        Assert.True(timeline.Begun <= timeline.Posted && timeline.Posted <= timeline.ComputeBegun && timeline.ComputeEnded <= timeline.Reaped);
    }

    [Fact]
    public void Device_that_says_nothing_leaves_the_host_s_own_times()
    {
        OperationTimeline timeline = Posted();
        timeline.RecordReap(Completion(size: 0, computedAt: 0, microseconds: 0));
        timeline.RecordCheck();
        Assert.Equal((0, 0L, 0L), (timeline.BatchSize, timeline.ComputeBegun, timeline.ComputeEnded));
        Assert.True(timeline.Reaped >= timeline.Posted && timeline.Checked >= timeline.Reaped);
    }

    [Theory]
    [InlineData(8, 1, 0)]       // it began before it was asked
    [InlineData(8, 0, 1)]       // it ended before it was asked, or seconds after
    [InlineData(2000, 0, 0)]    // more than the rings have entries
    public void Batch_that_cannot_be_is_not_believed(int size, int microsecondsBefore, uint nanosecondsBefore)
    {
        OperationTimeline timeline = Posted();
        long ended = nanosecondsBefore > 0 ? timeline.Posted - nanosecondsBefore : Wait();

        // From before the post on, however long this thread was kept from going on since.
        int microseconds = microsecondsBefore > 0 ? (int)((ended - timeline.Posted) / 1000) + microsecondsBefore : 0;
        timeline.RecordReap(Completion(size, (uint)ended, microseconds));
        Assert.Equal((0, 0L, 0L), (timeline.BatchSize, timeline.ComputeBegun, timeline.ComputeEnded));
    }

    [Fact]
    public void Next_operation_begins_with_nothing_of_the_last()
    {
        OperationTimeline timeline = Posted();
        timeline.RecordReap(Completion(8, (uint)Wait(), 0));
        timeline.RecordCheck();
        timeline.Begin();
        Assert.Null(timeline.DeviceUri);
        Assert.Equal(
            (0L, 0L, 0L, 0L, 0L, 0L, 0, 0),
            (timeline.Posted, timeline.Reaped, timeline.Checked, timeline.SoftwareBegun, timeline.ComputeBegun, timeline.ComputeEnded, timeline.BatchSize, timeline.QueueNumber));
    }

    private static OperationTimeline Posted()
    {
        var timeline = new OperationTimeline();
        timeline.Begin();
        timeline.RecordPost("test:", 5);
        Assert.Equal(("test:", 5), (timeline.DeviceUri, timeline.QueueNumber));
        return timeline;
    }

    /// <summary>A time after the post.</summary>
    private static long Wait()
    {
        long now = Stopwatch.GetTimestamp();
        while (Stopwatch.GetTimestamp() == now)
        {
        }

        return Stopwatch.GetTimestamp();
    }

    private static Completion Completion(int size, uint computedAt, int microseconds) =>
        new(0, 0, HpreError.None) { BatchSize = size, ComputedAt = computedAt, ComputeMicroseconds = microseconds };
}
