using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class ClientUsageTests
{
    [Fact]
    public void Busy_thread_is_the_clients_limit()
    {
        ClientUsage usage = Of(2, (0.95, 0));
        Assert.Contains("the client's limit", usage.Warning(), StringComparison.Ordinal);
        Assert.Contains("95", usage.Warning(), StringComparison.Ordinal);
    }

    [Fact]
    public void Thread_that_waits_for_a_processor_shares_it_with_others()
    {
        Assert.Contains("waited 60", Of(2, (0.35, 0.6)).Warning(), StringComparison.Ordinal);
    }

    [Fact]
    public void Idle_client_is_not_warned_about()
    {
        Assert.Null(Of(10, (0.5, 0.3)).Warning());
    }

    [Fact]
    public void Busiest_of_several_threads_counts()
    {
        Assert.NotNull(Of(3, (0.1, 0), (0.92, 0), (0.2, 0.1)).Warning());
        Assert.Null(Of(3, (0.1, 0), (0.8, 0), (0.1, 0.4)).Warning());
    }

    [Fact]
    public void Process_stands_for_its_threads_where_the_kernel_does_not_count_them()
    {
        ClientUsage usage = ClientUsage.Of(TimeSpan.FromSeconds(1.9), 1, [null, null]);
        Assert.Equal((0.95, 0), (usage.BusyShare, usage.WaitingShare));
    }

    [Fact]
    public void Usage_of_this_thread_grows()
    {
        // The kernel brings it up to date when its tick comes.
        ThreadUsage before = Assert.NotNull(ThreadUsage.OfThisThread());
        Assert.True(SpinWait.SpinUntil(() => ThreadUsage.OfThisThread()!.Value.Ran > before.Ran, TimeSpan.FromSeconds(60)), $"{before}");
    }

    private static ClientUsage Of(double seconds, params (double Ran, double Waited)[] shares) => ClientUsage.Of(
        TimeSpan.FromSeconds(seconds),
        seconds,
        [.. shares.Select(share => (ThreadUsage?)new ThreadUsage((long)(share.Ran * seconds * 1e9), (long)(share.Waited * seconds * 1e9)))]);
}
