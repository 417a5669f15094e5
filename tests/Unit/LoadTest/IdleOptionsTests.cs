using WarpProxy.LoadTest;
using WarpProxy.LoadTest.Idle;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class IdleOptionsTests
{
    private const string Limits = """
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             7000                 7000                 processes
        Max open files            20000                30000                files
        """;

    [Theory]
    [InlineData(null, 1_000_000, 50_000)]
    [InlineData(null, 20_000, 19_488)]
    [InlineData(100, 20_000, 100)]
    [InlineData(19_488, 20_000, 19_488)]
    public void As_many_as_asked_for_or_as_can_be(int? asked, long openFiles, int expected) => Assert.Equal(expected, IdleOptions.Choose(asked, openFiles));

    [Fact]
    public void More_than_there_may_be_open_files_are_refused()
    {
        LoadFailure failure = Assert.Throws<LoadFailure>(() => IdleOptions.Choose(19_489, 20_000));
        Assert.Equal("--connections is 19489; with at most 20000 open files for a process (ulimit -Hn) it must not be above 19488.", failure.Message);
        Assert.Equal(LoadFailure.BadInput, failure.ExitCode);
    }

    [Fact]
    public void Soft_limit_of_open_files_counts() => Assert.Equal(20_000, OpenFileLimit.Parse(Limits.Split('\n')));

    [Fact]
    public void No_limit_of_open_files() => Assert.Equal(long.MaxValue, OpenFileLimit.Parse(["Max open files            unlimited            unlimited            files"]));

    [Fact]
    public void Missing_limit_is_told() => Assert.Throws<FormatException>(() => OpenFileLimit.Parse(["Max processes 1 1 processes"]));

    [Fact]
    public void Resident_memory_is_read_in_kibibytes() => Assert.Equal(1234 * 1024, MemoryMeter.Parse(["VmHWM:\t    9999 kB", "VmRSS:\t    1234 kB"]));

    [Fact]
    public void Process_that_has_ended_has_no_memory() => Assert.Equal(0, MemoryMeter.Parse(["Name:\tsh", "State:\tZ (zombie)"]));
}
