using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

public sealed class ProcessTimeTests
{
    [Fact]
    public void Time_of_this_process_is_at_least_that_of_the_thread_and_grows_with_it()
    {
        long before = ProcessTime.ReadNanoseconds(Environment.ProcessId)!.Value;
        long thread = ThreadTime.ReadNanoseconds();
        Assert.InRange(before, 1, long.MaxValue);
        while (ThreadTime.ReadNanoseconds() - thread < 2_000_000)
        {
            // Until this thread has worked for two milliseconds.
        }

        Assert.True(ProcessTime.ReadNanoseconds(Environment.ProcessId) - before >= 1_000_000);
    }

    [Fact]
    public void Process_that_is_not_there_has_none() => Assert.Null(ProcessTime.ReadNanoseconds(int.MaxValue));
}
