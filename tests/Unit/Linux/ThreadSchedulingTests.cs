using System.Globalization;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

public sealed class ThreadSchedulingTests
{
    [Fact]
    public void Thread_goes_to_batch_and_back_without_privilege() => OnThread(() =>
    {
        Assert.Equal(SchedulingPolicy.Other, Current());
        Assert.True(ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Batch, out _));
        Assert.Equal(SchedulingPolicy.Batch, Current());
        Assert.True(ThreadScheduling.TryChange(SchedulingPolicy.Batch, SchedulingPolicy.Other, out _));
        Assert.Equal(SchedulingPolicy.Other, Current());
    });

    [Fact]
    public void Thread_inherits_the_policy_of_the_one_that_starts_it() => OnThread(() =>
    {
        ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Batch, out _);
        OnThread(() => Assert.Equal(SchedulingPolicy.Batch, Current()));
    });

    [Fact]
    public void Other_threads_keep_their_policy() => OnThread(() =>
    {
        OnThread(() => ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Batch, out _));
        Assert.Equal(SchedulingPolicy.Other, Current());
    });

    [Fact]
    public void Thread_with_another_policy_than_expected_keeps_it() => OnThread(() =>
    {
        Assert.True(ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Idle, out _));
        Assert.True(ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Batch, out LinuxException? refusal));
        Assert.Null(refusal);
        Assert.Equal(SchedulingPolicy.Idle, Current());
    });

    [Fact]
    public void Refusal_says_what_was_asked_for_and_changes_nothing() => OnThread(() =>
    {
        // Real time needs a priority above zero: refused to everybody, root included.
        Assert.False(ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Fifo, out LinuxException? refusal));
        Assert.Equal(Errno.EINVAL, refusal.Error);
        Assert.StartsWith("pthread_setschedparam(Fifo) failed: ", refusal.Message);
        Assert.Equal(SchedulingPolicy.Other, Current());
    });

    /// <summary>The policy as this code knows it, which must be what the kernel says: field 41 of the thread's stat (proc(5)).</summary>
    private static SchedulingPolicy Current()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        string[] behindName = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        Assert.Equal(behindName[41 - 3], ((int)ThreadScheduling.Current).ToString(CultureInfo.InvariantCulture));
        return ThreadScheduling.Current;
    }

    /// <summary>On a thread of its own, so that the threads of the test run stay as they are.</summary>
    private static void OnThread(Action test)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(test));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
