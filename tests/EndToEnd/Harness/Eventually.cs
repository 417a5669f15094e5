namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>Asks again until the answer is yes. The limit is far beyond what it takes; only a defect reaches it.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="isSo">The question.</param>
    /// <param name="limit">For what takes long by itself.</param>
    public static async Task TrueAsync(string what, Func<Task<bool>> isSo, TimeSpan? limit = null)
    {
        long end = Environment.TickCount64 + (long)(limit ?? Limit).TotalMilliseconds;
        using var timer = new PeriodicTimer(Interval);
        while (!await isSo())
        {
            Assert.True(Environment.TickCount64 < end, $"Not within {(limit ?? Limit).TotalSeconds} s: {what}");
            await timer.WaitForNextTickAsync();
        }
    }

    public static Task TrueAsync(string what, Func<bool> isSo, TimeSpan? limit = null) => TrueAsync(what, () => Task.FromResult(isSo()), limit);
}
