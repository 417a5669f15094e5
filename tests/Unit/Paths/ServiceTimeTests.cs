using WarpDrive.Driver.Paths;

namespace WarpProxy.Tests.Unit.Paths;

public sealed class ServiceTimeTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void First_samples_count_alike()
    {
        ServiceTime time = default;
        Assert.False(time.IsKnown);
        time.Add(100, 0);
        time.Add(200, 1);
        time.Add(300, 2);
        Assert.Equal(200, time.Nanoseconds);
    }

    [Fact]
    public void One_sample_that_is_far_too_high_counts_little_and_many_count_fully()
    {
        ServiceTime time = Settled(1000);
        time.Add(1_000_000, 100);
        Assert.InRange(time.Nanoseconds, 1000, 1400);
        for (int i = 0; i < 60; i++)
        {
            time.Add(1_000_000, 101 + i);
        }

        Assert.InRange(time.Nanoseconds, 900_000, 1_000_000);
    }

    [Fact]
    public void After_a_pause_a_sample_counts_more()
    {
        ServiceTime time = Settled(1000);
        time.Add(2000, 100);
        Assert.Equal(1125, time.Nanoseconds);
        time = Settled(1000);
        time.Add(2000, Second / 2);
        Assert.Equal(1250, time.Nanoseconds);
        time = Settled(1000);
        time.Add(2000, 2 * Second);
        Assert.Equal(1500, time.Nanoseconds);
    }

    [Fact]
    public void Time_of_nothing_is_a_time()
    {
        ServiceTime time = default;
        time.Add(0, 0);
        time.Add(-5, 1);
        Assert.Equal(1, time.Nanoseconds);
    }

    [Fact]
    public void What_was_never_measured_is_taken_from_what_was_measured_beside_it()
    {
        var times = new TimesByLevel(TimesByLevel.Fine);
        Assert.Equal(0, times.Expect(5));
        times.Add(4, 400, 0);
        Assert.Equal([400, 400, 400, 400], new[] { 1, 4, 5, 1000 }.Select(times.Expect));
        times.Add(8, 800, 1);
        Assert.Equal([400, 500, 600, 700, 800, 800], new[] { 4, 5, 6, 7, 8, 9 }.Select(times.Expect));
    }

    [Fact]
    public void Level_that_is_not_used_follows_the_one_that_is()
    {
        var times = new TimesByLevel(TimesByLevel.Fine);
        times.Add(1, 100, 0);
        for (int i = 0; i < 200; i++)
        {
            times.Add(2, i < 100 ? 200 : 2000, i + 1);
        }

        Assert.InRange(times.Expect(2), 1800, 2000);
        Assert.InRange(times.Expect(1), 500, 1500);
    }

    [Fact]
    public void Levels_are_told_by_their_bounds()
    {
        var times = new TimesByLevel(TimesByLevel.Coarse);
        times.Add(1, 1500, 0);
        times.Add(11, 2000, 0);
        times.Add(1000, 3000, 0);
        Assert.Equal(new Dictionary<string, double> { ["1"] = 1.5, ["9-16"] = 2, ["33-64"] = 3 }, times.Read());
    }

    private static ServiceTime Settled(long value)
    {
        ServiceTime time = default;
        for (int i = 0; i < 10; i++)
        {
            time.Add(value, i);
        }

        return time;
    }
}
