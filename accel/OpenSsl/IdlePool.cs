namespace WarpDrive.OpenSsl;

/// <summary>
/// A bounded set of idle objects to be used again. Lock-free; any thread may call any member. It grows as objects are given, so that
/// the pools of many keys, of which few are ever busy, cost little.
/// </summary>
/// <param name="capacity">The most that are kept; a multiple of <see cref="BlockSize"/>.</param>
internal sealed class IdlePool<T>(int capacity) : IDisposable
    where T : class, IDisposable
{
    /// <summary>Objects by which the pool grows.</summary>
    public const int BlockSize = 16;

    private readonly T?[]?[] _blocks = new T?[]?[capacity / BlockSize]; // filled from the front, never emptied
    private int _isClosed;

    /// <summary>An idle object, now the caller's alone; null when there is none.</summary>
    public T? Take()
    {
        // Threads on different processors begin apart, so that they rarely want the same slot.
        int start = Thread.GetCurrentProcessorId() % BlockSize;
        for (int block = 0; block < _blocks.Length; block++)
        {
            // Acquire: the slots of a block that is seen are seen empty at least.
            T?[]? slots = Volatile.Read(ref _blocks[block]);
            if (slots is null)
            {
                return null;
            }

            for (int i = 0; i < BlockSize; i++)
            {
                ref T? slot = ref slots[(start + i) % BlockSize];

                // The exchange decides who gets it; the read before only spares the exchange on empty slots.
                if (slot is not null && Interlocked.Exchange(ref slot, null) is T item)
                {
                    return item;
                }
            }
        }

        return null;
    }

    /// <summary>Keeps the object for the next <see cref="Take"/>, or disposes it when there is no room.</summary>
    public void Give(T item)
    {
        int start = Thread.GetCurrentProcessorId() % BlockSize;
        for (int block = 0; block < _blocks.Length; block++)
        {
            T?[] slots = GetOrAddBlock(block);
            for (int i = 0; i < BlockSize; i++)
            {
                ref T? slot = ref slots[(start + i) % BlockSize];
                if (slot is null && Interlocked.CompareExchange(ref slot, item, null) is null)
                {
                    // The exchange is a full barrier: either this sees the pool closed, or Dispose sees the object and its block.
                    if (Volatile.Read(ref _isClosed) != 0)
                    {
                        Interlocked.Exchange(ref slot, null)?.Dispose();
                    }

                    return;
                }
            }
        }

        item.Dispose();
    }

    /// <summary>Disposes the idle objects, and from now on each one that is given.</summary>
    public void Dispose()
    {
        // A full barrier before the slots are read; see Give.
        Interlocked.Exchange(ref _isClosed, 1);
        for (int block = 0; block < _blocks.Length; block++)
        {
            T?[] slots = Volatile.Read(ref _blocks[block]) ?? [];
            for (int i = 0; i < slots.Length; i++)
            {
                Interlocked.Exchange(ref slots[i], null)?.Dispose();
            }
        }
    }

    private T?[] GetOrAddBlock(int block)
    {
        // Acquire and release: a block is seen whole. Of two that are added at the same time the first stays.
        T?[]? slots = Volatile.Read(ref _blocks[block]);
        if (slots is null)
        {
            T?[] added = new T?[BlockSize];
            slots = Interlocked.CompareExchange(ref _blocks[block], added, null) ?? added;
        }

        return slots;
    }
}
