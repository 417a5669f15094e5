using System.Diagnostics;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

public sealed class CpuAffinityTests
{
    [Fact]
    public void Thread_runs_where_it_was_moved_to_and_the_others_stay()
    {
        IReadOnlyList<int> before = CpuAffinity.Current;
        int[] last = [before[^1]];
        IReadOnlyList<int>? moved = null;
        OnThread(() =>
        {
            CpuAffinity.SetCurrent(last);
            moved = CpuAffinity.Current;
        });
        Assert.Equal(last, moved);
        Assert.Equal(before, CpuAffinity.Current);
    }

    [Fact]
    public void Process_inherits_the_processors_of_the_thread_that_starts_it()
    {
        int[] last = [CpuAffinity.Current[^1]];
        string? allowed = null;
        OnThread(() =>
        {
            CpuAffinity.SetCurrent(last);
            using Process child = Process.Start(new ProcessStartInfo("/bin/cat", ["/proc/self/status"]) { RedirectStandardOutput = true })!;
            allowed = child.StandardOutput.ReadToEnd().Split('\n').Single(static line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
            child.WaitForExit();
        });
        Assert.Equal($"Cpus_allowed_list:\t{last[0]}", allowed);
    }

    [Fact]
    public void No_processor_is_refused_with_EINVAL() =>
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(static () => CpuAffinity.SetCurrent([])).Error);

    [Theory]
    [InlineData(-1)]
    [InlineData(CpuAffinity.MaxProcessors)]
    public void Number_of_a_processor_that_cannot_be_is_refused(int processor) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CpuAffinity.SetCurrent([processor]));

    [Fact]
    public void Process_that_is_asked_to_end_ends()
    {
        using Process child = Process.Start("/bin/sleep", "600");
        ProcessSignal.Terminate(child.Id);
        Assert.True(child.WaitForExit(TimeSpan.FromSeconds(60)));
        Assert.Equal(128 + 15, child.ExitCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Signals_to_groups_of_processes_are_refused(int id) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ProcessSignal.Terminate(id));

    private static void OnThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
