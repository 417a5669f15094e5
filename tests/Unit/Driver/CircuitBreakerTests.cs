using WarpDrive.Driver;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>When a device is taken out of use and when it is tried again, on a clock that stands still.</summary>
public sealed class CircuitBreakerTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Breaker_waits_for_a_probe_at_first()
    {
        CircuitBreaker breaker = new(new CircuitBreakerOptions(), _time);
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        Assert.False(breaker.IsClosed);
        breaker.ProbeSucceeded();
        Assert.True(breaker.IsClosed);
        Assert.Equal(1, breaker.GetStatus().ProbesGood);
        Assert.Empty(breaker.GetStatus().Openings);
    }

    [Theory]
    [InlineData(AcceleratorError.WrongResult, OpeningReason.WrongResult)]
    [InlineData(AcceleratorError.Protocol, OpeningReason.Protocol)]
    public void One_lie_is_enough(AcceleratorError outcome, OpeningReason reason)
    {
        CircuitBreaker breaker = Closed();
        Succeed(breaker, 1_000_000);
        Assert.True(breaker.Failed(outcome));
        Assert.Equal(BreakerState.Open, breaker.State);
        Assert.Equal(reason, breaker.GetStatus().Reason);
        Assert.Equal(1, breaker.GetStatus().Openings[reason]);
    }

    [Theory]
    [InlineData(AcceleratorError.NoDevice)]
    [InlineData(AcceleratorError.Busy)]
    [InlineData(AcceleratorError.UnsupportedKey)]
    [InlineData(AcceleratorError.Quarantined)]
    public void What_is_not_the_devices_fault_is_passed_over(AcceleratorError outcome)
    {
        CircuitBreaker breaker = Closed();
        Assert.DoesNotContain(Enumerable.Range(0, 1000), _ => breaker.Failed(outcome));
        Assert.True(breaker.IsClosed);
    }

    [Theory]
    [InlineData(AcceleratorError.DeviceError)]
    [InlineData(AcceleratorError.DeviceGone)]
    public void Error_rate_says_nothing_of_few_operations(AcceleratorError outcome)
    {
        CircuitBreaker breaker = Closed();
        Assert.Equal(9, FailUntilOpen(breaker, outcome, limit: 9));
        Assert.True(breaker.IsClosed);
        Assert.True(breaker.Failed(outcome));
        Assert.Equal(OpeningReason.Errors, breaker.GetStatus().Reason);
        Assert.Equal("10 of 10 operations within 10 s failed", breaker.GetStatus().Detail);
    }

    [Fact]
    public void Half_of_the_operations_is_too_many_and_less_is_not()
    {
        CircuitBreaker breaker = Closed();
        Succeed(breaker, 20);
        Assert.Equal(20, FailUntilOpen(breaker, AcceleratorError.DeviceError, limit: 100));
        Assert.Equal("20 of 40 operations within 10 s failed", breaker.GetStatus().Detail);
    }

    [Fact]
    public void Failures_that_are_older_than_the_window_do_not_count()
    {
        CircuitBreaker breaker = Closed();
        Assert.Equal(9, FailUntilOpen(breaker, AcceleratorError.DeviceError, limit: 9));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(9, FailUntilOpen(breaker, AcceleratorError.DeviceError, limit: 9));
        Assert.True(breaker.IsClosed);
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.True(breaker.Failed(AcceleratorError.DeviceError));
    }

    [Fact]
    public void Successes_that_are_older_than_the_window_do_not_count()
    {
        CircuitBreaker breaker = Closed();
        Succeed(breaker, 1000);
        Pass(breaker, TimeSpan.FromSeconds(11));
        Assert.Equal(10, FailUntilOpen(breaker, AcceleratorError.DeviceError, limit: 100));
    }

    [Fact]
    public void Successes_within_the_window_do_count()
    {
        CircuitBreaker breaker = Closed();
        Succeed(breaker, 30);
        Pass(breaker, TimeSpan.FromSeconds(8));
        Assert.Equal(30, FailUntilOpen(breaker, AcceleratorError.DeviceError, limit: 100));
    }

    [Fact]
    public void Successes_that_nobody_looked_at_in_time_are_not_lost()
    {
        CircuitBreaker breaker = Closed();
        Pass(breaker, TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(30));
        Succeed(breaker, 30);
        Assert.Equal(30, FailUntilOpen(breaker, AcceleratorError.DeviceError, limit: 100));
    }

    [Fact]
    public void So_many_unanswered_operations_in_a_row_are_too_many()
    {
        CircuitBreaker breaker = Closed();
        Succeed(breaker, 1_000_000);
        Assert.Equal(7, FailUntilOpen(breaker, AcceleratorError.Deadline, limit: 7));
        Assert.True(breaker.IsClosed);
        Assert.True(breaker.Failed(AcceleratorError.Deadline));
        Assert.Equal(OpeningReason.Unanswered, breaker.GetStatus().Reason);
        Assert.Equal("8 operations in a row were not answered", breaker.GetStatus().Detail);
    }

    [Theory]
    [InlineData(AcceleratorError.None)]
    [InlineData(AcceleratorError.DeviceError)]
    public void Any_answer_ends_the_row(AcceleratorError answer)
    {
        CircuitBreaker breaker = Closed();
        Succeed(breaker, 1_000_000);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(7, FailUntilOpen(breaker, AcceleratorError.Deadline, limit: 7));
            if (answer == AcceleratorError.None)
            {
                breaker.Succeeded();
            }
            else
            {
                breaker.Failed(answer);
            }
        }

        Assert.True(breaker.IsClosed);
        Assert.Equal(8, FailUntilOpen(breaker, AcceleratorError.Deadline, limit: 100));
    }

    [Fact]
    public void Failures_at_the_same_time_are_one_incident()
    {
        CircuitBreaker breaker = Closed();
        int opened = 0;
        Parallel.For(0, 64, _ => Interlocked.Add(ref opened, breaker.Failed(AcceleratorError.WrongResult) ? 1 : 0));
        Assert.Equal(1, opened);
        Assert.Equal(1, breaker.OpeningCount);
        Assert.InRange(breaker.GetStatus().BackOff, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(1.1));

        // Nor do those that come while it is tried again count.
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(breaker.TryHalfOpen());
        Assert.False(breaker.Failed(AcceleratorError.WrongResult));
        breaker.ProbeSucceeded();
        Assert.True(breaker.IsClosed);
    }

    [Fact]
    public void Open_breaker_lets_a_probe_through_when_its_time_is_over_and_not_before()
    {
        CircuitBreaker breaker = Closed(new CircuitBreakerOptions { Jitter = 0 });
        Assert.False(breaker.TryHalfOpen());
        breaker.Failed(AcceleratorError.WrongResult);
        _time.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1));
        Assert.False(breaker.TryHalfOpen());
        Assert.Equal(TimeSpan.FromTicks(1), breaker.GetStatus().RetryIn);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(breaker.TryHalfOpen());
        Assert.False(breaker.TryHalfOpen());
        Assert.False(breaker.IsClosed);
        Assert.Equal(TimeSpan.Zero, breaker.GetStatus().RetryIn);
    }

    [Fact]
    public void Back_off_doubles_up_to_the_longest_while_probes_fail()
    {
        CircuitBreaker breaker = Closed(new CircuitBreakerOptions { Jitter = 0 });
        breaker.Failed(AcceleratorError.WrongResult);
        List<double> seconds = [breaker.GetStatus().BackOff.TotalSeconds];
        for (int i = 0; i < 80; i++)
        {
            _time.Advance(breaker.GetStatus().RetryIn);
            Assert.True(breaker.TryHalfOpen());
            breaker.ProbeFailed("RSA-2048 was wrong");
            seconds.Add(breaker.GetStatus().BackOff.TotalSeconds);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], seconds[..8]);
        Assert.All(seconds[6..], static second => Assert.Equal(60, second));
        Assert.Equal((80, 80), (breaker.GetStatus().ProbesBad, breaker.GetStatus().Openings[OpeningReason.Probe]));
        Assert.Equal("RSA-2048 was wrong", breaker.GetStatus().Detail);
    }

    [Fact]
    public void Device_that_lies_again_and_again_is_tried_ever_more_rarely()
    {
        // Each time it answers the probe, and then lies.
        CircuitBreaker breaker = Closed();
        TimeSpan end = TimeSpan.FromHours(1);
        TimeSpan spent = TimeSpan.Zero;
        while (spent < end)
        {
            Succeed(breaker, 5);
            Assert.True(breaker.Failed(AcceleratorError.WrongResult));
            spent += breaker.GetStatus().RetryIn;
            _time.Advance(breaker.GetStatus().RetryIn);
            Assert.True(breaker.TryHalfOpen());
            breaker.ProbeSucceeded();
        }

        // Six on the way to a minute, and one in each minute of the hour.
        Assert.InRange(breaker.OpeningCount, 60, 75);
    }

    [Theory]
    [InlineData(30, 10, true)]
    [InlineData(29.9, 1000, false)]
    [InlineData(1000, 9, false)]
    public void Back_off_is_forgotten_after_a_time_of_good_work(double seconds, int operations, bool isForgotten)
    {
        CircuitBreaker breaker = Closed(new CircuitBreakerOptions { Jitter = 0 });
        for (int i = 0; i < 4; i++)
        {
            breaker.Failed(AcceleratorError.WrongResult);
            _time.Advance(TimeSpan.FromMinutes(1));
            breaker.TryHalfOpen();
            breaker.ProbeSucceeded();
        }

        Succeed(breaker, operations);
        _time.Advance(TimeSpan.FromSeconds(seconds));
        breaker.Failed(AcceleratorError.WrongResult);
        Assert.Equal(TimeSpan.FromSeconds(isForgotten ? 1 : 16), breaker.GetStatus().BackOff);
    }

    [Fact]
    public void Jitter_stays_within_its_bounds_and_below_the_longest()
    {
        var options = new CircuitBreakerOptions { Jitter = 0.2, Seed = 7, FirstBackOff = TimeSpan.FromSeconds(10), MaxBackOff = TimeSpan.FromSeconds(40) };
        List<double> first = [];
        List<double> longest = [];
        for (int round = 0; round < 200; round++)
        {
            CircuitBreaker breaker = Closed(new CircuitBreakerOptions { Jitter = 0.2, Seed = round, FirstBackOff = options.FirstBackOff, MaxBackOff = options.MaxBackOff });
            breaker.Failed(AcceleratorError.WrongResult);
            first.Add(breaker.GetStatus().BackOff.TotalSeconds);
            for (int i = 0; i < 3; i++)
            {
                _time.Advance(TimeSpan.FromMinutes(1));
                breaker.TryHalfOpen();
                breaker.ProbeFailed("it was wrong");
            }

            longest.Add(breaker.GetStatus().BackOff.TotalSeconds);
        }

        Assert.All(first, static second => Assert.InRange(second, 8, 12));
        Assert.True(first.Max() - first.Min() > 2, "the jitter does nothing");
        Assert.All(longest, static second => Assert.InRange(second, 32, 40));
    }

    [Fact]
    public void Same_seed_waits_as_long()
    {
        TimeSpan BackOff(int seed)
        {
            CircuitBreaker breaker = Closed(new CircuitBreakerOptions { Seed = seed });
            breaker.Failed(AcceleratorError.WrongResult);
            return breaker.GetStatus().BackOff;
        }

        Assert.Equal(BackOff(3), BackOff(3));
        Assert.NotEqual(BackOff(3), BackOff(4));
    }

    [Fact]
    public void What_was_before_an_opening_does_not_count_after_it()
    {
        CircuitBreaker breaker = Closed();
        FailUntilOpen(breaker, AcceleratorError.Deadline, limit: 100);
        _time.Advance(TimeSpan.FromSeconds(2));
        breaker.TryHalfOpen();
        breaker.ProbeSucceeded();
        Assert.Equal(7, FailUntilOpen(breaker, AcceleratorError.Deadline, limit: 7));
        Assert.True(breaker.IsClosed);
    }

    [Fact]
    public void Device_that_went_away_is_probed_without_waiting_and_that_is_no_opening()
    {
        CircuitBreaker breaker = Closed();
        breaker.Lost();
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        Assert.Equal(0, breaker.OpeningCount);
        breaker.ProbeSucceeded();
        Assert.True(breaker.IsClosed);

        // But an open one stays open.
        breaker.Failed(AcceleratorError.Protocol);
        breaker.Lost();
        Assert.Equal(BreakerState.Open, breaker.State);
    }

    [Fact]
    public void Probe_of_a_breaker_that_waits_for_none_is_a_defect()
    {
        CircuitBreaker breaker = Closed();
        Assert.Throws<InvalidOperationException>(breaker.ProbeSucceeded);
        Assert.Throws<InvalidOperationException>(() => breaker.ProbeFailed("it was wrong"));
    }

    [Fact]
    public void Time_in_each_state_sums_up()
    {
        CircuitBreaker breaker = new(new CircuitBreakerOptions { Jitter = 0 }, _time);
        _time.Advance(TimeSpan.FromSeconds(3));
        breaker.ProbeSucceeded();
        _time.Advance(TimeSpan.FromSeconds(5));
        breaker.Failed(AcceleratorError.WrongResult);
        _time.Advance(TimeSpan.FromSeconds(7));
        BreakerStatus status = breaker.GetStatus();
        Assert.Equal((3, 5, 7), (status.TimeHalfOpen.TotalSeconds, status.TimeClosed.TotalSeconds, status.TimeOpen.TotalSeconds));
    }

    [Fact]
    public void Other_limits_hold_from_the_next_failure_on()
    {
        CircuitBreaker breaker = Closed();
        Assert.Equal(3, FailUntilOpen(breaker, AcceleratorError.Deadline, limit: 3));
        breaker.Options = new CircuitBreakerOptions { MaxUnanswered = 4 };
        Assert.True(breaker.Failed(AcceleratorError.Deadline));
    }

    [Fact]
    public void Success_allocates_nothing()
    {
        CircuitBreaker breaker = Closed();
        breaker.Succeeded();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Succeed(breaker, 1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Success_waits_for_no_lock()
    {
        // While another thread holds the breaker's lock, in the clock that it asks.
        using var clock = new HeldClock();
        CircuitBreaker breaker = new(new CircuitBreakerOptions(), clock);
        breaker.ProbeSucceeded();
        clock.Hold();
        var holder = new Thread(breaker.Observe);
        holder.Start();
        clock.WaitUntilAsked();
        breaker.Succeeded();
        Assert.True(breaker.IsClosed);
        clock.Release();
        holder.Join();
    }

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void Options_out_of_range_are_refused_with_a_sentence(CircuitBreakerOptions options, string sentence) =>
        Assert.Equal([sentence], options.Validate());

    [Fact]
    public void Default_options_are_right() => Assert.Empty(new CircuitBreakerOptions().Validate());

    public static TheoryData<CircuitBreakerOptions, string> WrongOptions() => new()
    {
        { new() { MinOperations = 0 }, "MinOperations is 0; it must be between 1 and 1000000." },
        { new() { ErrorRate = 0 }, "ErrorRate is 0; it must be more than 0 and at most 1." },
        { new() { ErrorRate = double.NaN }, "ErrorRate is NaN; it must be more than 0 and at most 1." },
        { new() { Window = TimeSpan.FromSeconds(2) }, "Window is 00:00:02; it must be between 00:00:03 and 01:00:00." },
        { new() { MaxUnanswered = 0 }, "MaxUnanswered is 0; it must be between 1 and 1000000." },
        { new() { FirstBackOff = TimeSpan.Zero }, "FirstBackOff is 00:00:00; it must be between 00:00:00.010 and 01:00:00." },
        { new() { MaxBackOff = TimeSpan.FromMilliseconds(999) }, "MaxBackOff is 00:00:00.9990000; it must be between FirstBackOff, which is 00:00:01, and 01:00:00." },
        { new() { Jitter = 1 }, "Jitter is 1; it must be 0 or more and less than 1." },
        { new() { ForgetAfter = TimeSpan.FromDays(2) }, "ForgetAfter is 2.00:00:00; it must be between 00:00:00 and 1.00:00:00." },
    };

    private static void Succeed(CircuitBreaker breaker, int count)
    {
        for (int i = 0; i < count; i++)
        {
            breaker.Succeeded();
        }
    }

    /// <summary>Returns how many failures it took, or the limit.</summary>
    private static int FailUntilOpen(CircuitBreaker breaker, AcceleratorError outcome, int limit)
    {
        for (int i = 1; i <= limit; i++)
        {
            if (breaker.Failed(outcome))
            {
                return i;
            }
        }

        return limit;
    }

    private CircuitBreaker Closed(CircuitBreakerOptions? options = null)
    {
        var breaker = new CircuitBreaker(options ?? new CircuitBreakerOptions(), _time);
        breaker.ProbeSucceeded();
        return breaker;
    }

    /// <summary>Has time pass as it does under a supervisor.</summary>
    private void Pass(CircuitBreaker breaker, TimeSpan time)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(250))
        {
            breaker.Observe();
            _time.Advance(TimeSpan.FromMilliseconds(250));
        }
    }

    private sealed class HeldClock : TimeProvider, IDisposable
    {
        private readonly ManualResetEventSlim _mayAnswer = new(true);
        private readonly ManualResetEventSlim _wasAsked = new();

        public override long GetTimestamp()
        {
            if (!_mayAnswer.IsSet)
            {
                _wasAsked.Set();
                _mayAnswer.Wait();
            }

            return 1;
        }

        public void Hold() => _mayAnswer.Reset();

        public void Release() => _mayAnswer.Set();

        public void Dispose()
        {
            _mayAnswer.Dispose();
            _wasAsked.Dispose();
        }

        public void WaitUntilAsked() => Assert.True(_wasAsked.Wait(TimeSpan.FromSeconds(60)));
    }
}
