using System.Diagnostics;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class ProcessStatTests
{
    // Fields after the name: state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime, and more.
    private const string Rest = "S 41 42 42 0 -1 4194304 100 200 3 4 250 50 7 3 20 0 1 0 12345 1000000 500";

    [Theory]
    [InlineData("nginx")]
    [InlineData("a b")]
    [InlineData("(sd-pam)")]
    [InlineData("evil) S 1 2 3 (x")]
    [InlineData("")]
    public void Name_may_hold_blanks_and_parentheses(string name)
    {
        ProcessStat stat = ProcessStat.Parse($"4711 ({name}) {Rest}\n");
        Assert.Equal(new ProcessStat(4711, 41, TimeSpan.FromMilliseconds(3100)), stat);
    }

    [Theory]
    [InlineData("")]
    [InlineData("4711 nginx S 41")]
    [InlineData("4711 (nginx) S 41 42 42 0 -1 4194304 100 200 3 4 250 50 7")]
    public void Anything_else_is_refused(string line) => Assert.Throws<FormatException>(() => ProcessStat.Parse(line));

    [Fact]
    public void This_process_is_read()
    {
        ProcessStat stat = ProcessStat.Read(Environment.ProcessId)!.Value;
        Assert.Equal(Environment.ProcessId, stat.Id);

        // Tests are running: some time has passed, at least a tick.
        Assert.InRange(stat.Cpu, TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1));
        Assert.Contains(ProcessStat.ReadAll(), process => process.Id == Environment.ProcessId);
    }

    [Fact]
    public void Process_that_has_ended_has_none()
    {
        using Process child = Process.Start("/bin/true");
        child.WaitForExit();
        Assert.Null(ProcessStat.Read(child.Id));
    }

    [Fact]
    public void Descendants_of_all_generations_count_once_and_others_do_not()
    {
        ProcessStat[] all = [Stat(10, 1), Stat(11, 10), Stat(12, 11), Stat(20, 1), Stat(21, 20), Stat(1, 0)];
        Assert.Equal([10, 11, 12], CpuMeter.WithDescendants([10, 11], all).Order());
    }

    [Fact]
    public void Meter_sees_the_work_of_a_child_that_has_ended()
    {
        // The shell lives as long as its standard input; what it started has worked and ended by then.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done | cat; echo done; read line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process shell = Process.Start(start)!;
        Assert.Equal("done", shell.StandardOutput.ReadLine());
        Assert.True(new CpuMeter([shell.Id]).Read() > TimeSpan.Zero);
        shell.StandardInput.Close();
        shell.WaitForExit();
    }

    [Fact]
    public void Busy_processors_are_those_asked_for_without_idle_and_waiting_time()
    {
        string[] lines =
        [
            "cpu  1000 1000 1000 1000 1000 1000 1000 1000 0 0",
            "cpu1 10 1 20 900 50 2 3 4 7 7",
            "cpu10 999 0 0 0 0 0 0 0 0 0",
            "cpu2 100 0 0 0 0 0 0 0 0 0",
            "intr 1 2 3 4 5 6 7 8 9",
        ];
        Assert.Equal(TimeSpan.FromMilliseconds(400), ProcessorBusy.Parse(lines, new CpuList([1])));
        Assert.Equal(TimeSpan.FromMilliseconds(1400), ProcessorBusy.Parse(lines, new CpuList([1, 2])));
    }

    private static ProcessStat Stat(int id, int parent) => new(id, parent, TimeSpan.Zero);
}
