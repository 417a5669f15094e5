using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Driver;

public class IndexStackTests
{
    [Fact]
    public void Last_pushed_is_popped_first()
    {
        var stack = new IndexStack(3);
        stack.Push(0);
        stack.Push(2);
        stack.Push(1);
        Assert.True(stack.TryPop(out int first));
        Assert.True(stack.TryPop(out int second));
        Assert.True(stack.TryPop(out int third));
        Assert.Equal([1, 2, 0], [first, second, third]);
        Assert.False(stack.TryPop(out _));
    }

    [Fact]
    public void No_number_is_lost_or_given_twice_under_contention()
    {
        const int capacity = 4;
        var stack = new IndexStack(capacity);
        int[] holders = new int[capacity];
        for (int i = 0; i < capacity; i++)
        {
            stack.Push(i);
        }

        int twice = 0;
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 50_000; i++)
            {
                if (stack.TryPop(out int index))
                {
                    if (Interlocked.Increment(ref holders[index]) != 1)
                    {
                        Interlocked.Increment(ref twice);
                    }

                    Interlocked.Decrement(ref holders[index]);
                    stack.Push(index);
                }
            }
        }))];
        Array.ForEach(threads, static t => t.Start());
        Array.ForEach(threads, static t => t.Join());

        Assert.Equal(0, twice);
        var left = new HashSet<int>();
        while (stack.TryPop(out int index))
        {
            Assert.True(left.Add(index));
        }

        Assert.Equal(capacity, left.Count);
    }
}
