using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Storm;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class WorkClockTests
{
    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("one")]
    [InlineData("1,")]
    [InlineData("2147483647")]
    public void List_of_anything_but_running_processes_is_none(string text) => Assert.Null(WorkClock.Parse(text));

    [Fact]
    public void List_of_running_processes_is_one() =>
        Assert.Equal([Environment.ProcessId, Environment.ProcessId], WorkClock.Parse($"{Environment.ProcessId},{Environment.ProcessId}"));

    [Fact]
    public void Without_processes_it_is_the_time()
    {
        var clock = new WorkClock([]);
        long before = LoadClock.Now;
        Assert.InRange(clock.Now, before, LoadClock.Now);
        Assert.Equal(4711, clock.At(4711));
    }

    [Fact]
    public void With_processes_it_goes_as_they_work_and_never_faster_than_time_between_checks()
    {
        var clock = new WorkClock([Environment.ProcessId]);
        long first = clock.Now;
        clock.Check();
        long began = LoadClock.Now;
        while (clock.Now - first < 1_000_000)
        {
            // Until this process has worked a little.
        }

        long now = clock.Now;
        Assert.InRange(clock.At(began), now - (LoadClock.Now - began), clock.Now);
    }
}
