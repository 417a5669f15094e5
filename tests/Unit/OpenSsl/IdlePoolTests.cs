using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

public sealed class IdlePoolTests
{
    [Fact]
    public void Empty_pool_gives_nothing()
    {
        using IdlePool<Item> pool = new(32);

        Assert.Null(pool.Take());
    }

    [Fact]
    public void As_many_as_fit_are_kept_and_the_rest_is_disposed()
    {
        using IdlePool<Item> pool = new(256);
        Item[] items = [.. Enumerable.Range(0, 257).Select(_ => new Item())];
        foreach (Item item in items)
        {
            pool.Give(item);
        }

        Assert.Equal(1, items.Count(item => item.Disposals == 1));
        HashSet<Item> taken = [];
        while (pool.Take() is Item item)
        {
            Assert.True(taken.Add(item));
            Assert.Equal(0, item.Disposals);
        }

        Assert.Equal(256, taken.Count);
    }

    [Fact]
    public void Nothing_is_allocated_once_as_many_were_idle_at_the_same_time()
    {
        using IdlePool<Item> pool = new(256);
        Item[] items = [.. Enumerable.Range(0, 256).Select(_ => new Item())];
        Array.ForEach(items, pool.Give);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int taken = 0;
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = pool.Take()!;
        }

        foreach (Item item in items)
        {
            taken += item is null ? 0 : 1;
            pool.Give(item!);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(256, taken);
    }

    [Fact]
    public void Each_object_is_disposed_once_by_a_pool_that_is_disposed_while_threads_use_it()
    {
        for (int round = 0; round < 50; round++)
        {
            IdlePool<Item> pool = new(32);
            Item[] items = [.. Enumerable.Range(0, 64).Select(_ => new Item())];
            using Barrier start = new(5);
            Thread[] threads = [.. Enumerable.Range(0, 4).Select(index => new Thread(() =>
            {
                start.SignalAndWait();
                for (int i = 16 * index; i < 16 * index + 16; i++)
                {
                    pool.Give(items[i]);
                    if (i % 2 == 0 && pool.Take() is Item item)
                    {
                        pool.Give(item);
                    }
                }
            }))];
            Array.ForEach(threads, thread => thread.Start());
            start.SignalAndWait();
            pool.Dispose();
            Array.ForEach(threads, thread => thread.Join());

            Assert.All(items, item => Assert.Equal(1, item.Disposals));
            Assert.Null(pool.Take());
        }
    }

    private sealed class Item : IDisposable
    {
        private int _disposals;

        public int Disposals => _disposals;

        public void Dispose() => Interlocked.Increment(ref _disposals);
    }
}
