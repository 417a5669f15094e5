using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

public sealed class ThreadWakeTests
{
    private const int Asleep = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ThreadWake _wake = new();

    [Fact]
    public void Signal_before_the_wait_is_not_lost()
    {
        _wake.Signal();
        Assert.True(_wake.Wait(Patience));
    }

    [Fact]
    public void Signals_that_nobody_waited_for_count_as_one()
    {
        _wake.Signal();
        _wake.Signal();
        Assert.True(_wake.Wait(TimeSpan.Zero));
        Assert.False(_wake.Wait(TimeSpan.Zero));
    }

    [Fact]
    public void Wait_without_limit_takes_a_signal_as_well()
    {
        _wake.Signal();
        _wake.Wait();
        Assert.False(_wake.Wait(TimeSpan.Zero));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public void Wait_ends_without_a_signal_when_its_time_is_over(long nanoseconds) =>
        Assert.False(_wake.Wait(TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick)));

    [Fact]
    public void Signal_after_a_wait_that_ran_out_of_time_is_for_the_next_wait()
    {
        Assert.False(_wake.Wait(TimeSpan.FromMilliseconds(1)));
        _wake.Signal();
        Assert.True(_wake.Wait(TimeSpan.Zero));
    }

    [Fact]
    public void Signal_wakes_a_thread_that_sleeps()
    {
        using var sleeper = new Sleeper(_wake, waits: 1);
        sleeper.AwaitSleep();
        _wake.Signal();
        sleeper.AwaitEnd();
    }

    [Fact]
    public void Signal_wakes_a_thread_that_sleeps_with_a_limit()
    {
        bool wasSignalled = false;
        var thread = new Thread(() => wasSignalled = _wake.Wait(TimeSpan.FromHours(1)));
        thread.Start();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _wake.Word) == Asleep, Patience));
        _wake.Signal();
        Assert.True(thread.Join(Patience));
        Assert.True(wasSignalled);
    }

    [Fact]
    public void Thread_that_the_kernel_wakes_for_no_reason_sleeps_on()
    {
        using var sleeper = new Sleeper(_wake, waits: 1);
        for (int i = 0; i < 10; i++)
        {
            // The kernel says whether somebody slept there; the second and later times it can only be one who went to sleep again.
            Assert.True(SpinWait.SpinUntil(() => Futex.Wake(ref _wake.Word), Patience));
            Assert.Equal(0, sleeper.Woken);
        }

        _wake.Signal();
        sleeper.AwaitEnd();
    }

    [Fact]
    public void Of_threads_that_signal_at_the_same_time_none_is_lost()
    {
        const int Signallers = 4;
        const int Rounds = 3000;
        var posted = new int[Signallers];
        var threads = new List<Thread>();
        for (int i = 0; i < Signallers; i++)
        {
            int number = i;
            threads.Add(new Thread(() =>
            {
                for (int round = 1; round <= Rounds; round++)
                {
                    Volatile.Write(ref posted[number], round);
                    _wake.Signal();
                    if (round % 64 == 0)
                    {
                        Thread.Yield();
                    }
                }
            }));
        }

        threads.ForEach(thread => thread.Start());

        // Whatever was written before a signal is seen after the wait that took it; so the last wait sees every last round.
        while (posted.Any(round => round < Rounds))
        {
            Assert.True(_wake.Wait(Patience), $"no signal came, and these rounds were seen: {string.Join(", ", posted)}");
        }

        threads.ForEach(thread => Assert.True(thread.Join(Patience)));
    }

    [Fact]
    public void Two_threads_that_wake_each_other_in_turn_never_both_sleep()
    {
        const int Rounds = 20_000;
        var back = new ThreadWake();
        int value = 0;
        var other = new Thread(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                _wake.Wait();
                value++;
                back.Signal();
            }
        });
        other.Start();
        for (int i = 0; i < Rounds; i++)
        {
            _wake.Signal();
            Assert.True(back.Wait(Patience), $"round {i}");
            Assert.Equal(i + 1, value);
        }

        Assert.True(other.Join(Patience));
    }

    [Fact]
    public void Signals_that_race_with_the_end_of_the_time_are_taken_by_this_wait_or_the_next()
    {
        const int Rounds = 5000;
        var back = new ThreadWake();
        var other = new Thread(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                back.Wait();
                _wake.Signal();
            }
        });
        other.Start();
        for (int i = 0; i < Rounds; i++)
        {
            back.Signal();
            if (!_wake.Wait(TimeSpan.FromMicroseconds(i % 50)))
            {
                Assert.True(_wake.Wait(Patience), $"round {i}");
            }

            Assert.False(_wake.Wait(TimeSpan.Zero), $"round {i}: one signal, taken twice");
        }

        Assert.True(other.Join(Patience));
    }

    [Fact]
    public void Garbage_collection_does_not_move_what_a_thread_sleeps_on()
    {
        using var sleeper = new Sleeper(_wake, waits: 1);
        sleeper.AwaitSleep();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        _wake.Signal();
        sleeper.AwaitEnd();
    }

    /// <summary>A thread that waits, so often.</summary>
    private sealed class Sleeper : IDisposable
    {
        private readonly ThreadWake _wake;
        private readonly Thread _thread;
        private int _woken;

        public Sleeper(ThreadWake wake, int waits)
        {
            _wake = wake;
            _thread = new Thread(() =>
            {
                for (int i = 0; i < waits; i++)
                {
                    wake.Wait();
                    Interlocked.Increment(ref _woken);
                }
            }) { IsBackground = true };
            _thread.Start();
        }

        public int Woken => Volatile.Read(ref _woken);

        public void AwaitSleep() => Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _wake.Word) == Asleep, Patience));

        public void AwaitEnd() => Assert.True(_thread.Join(Patience));

        public void Dispose()
        {
            _wake.Signal();
            _thread.Join(Patience);
        }
    }
}
