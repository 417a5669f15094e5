using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class HandshakeTurnsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Only_so_many_have_a_turn_and_the_others_come_in_their_order()
    {
        var turns = new HandshakeTurns(2);
        await turns.BeginAsync();
        await turns.BeginAsync();
        List<int> order = [];
        Task[] waiting = [.. Enumerable.Range(0, 5).Select(RunAsync)];
        Assert.Equal(5, turns.WaitingCount);
        Assert.Empty(order);
        turns.End();
        await Task.WhenAll(waiting).WaitAsync(Patience);
        Assert.Equal([0, 1, 2, 3, 4], order);
        Assert.Equal(0, turns.WaitingCount);

        // One is free again besides the one that was never given back.
        await turns.BeginAsync();
        Assert.False(turns.BeginAsync().IsCompleted);

        async Task RunAsync(int number)
        {
            await turns.BeginAsync();
            order.Add(number);
            turns.End();
        }
    }

    [Fact]
    public async Task Nobody_is_forgotten_when_many_ask_and_end_together()
    {
        var turns = new HandshakeTurns(2);
        int inside = 0;
        int most = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 2_000), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (_, _) =>
        {
            await turns.BeginAsync();
            int now = Interlocked.Increment(ref inside);
            InterlockedMax(ref most, now);
            Interlocked.Decrement(ref inside);
            turns.End();
        }).WaitAsync(Patience);
        Assert.InRange(most, 1, 2);
        Assert.Equal(0, turns.WaitingCount);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (int seen = Volatile.Read(ref target); seen < value;)
        {
            int before = Interlocked.CompareExchange(ref target, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }
}
