namespace WarpDrive.OpenSsl;

/// <summary>A bounded set of idle objects to be used again. Lock-free; any thread may call any member.</summary>
/// <param name="capacity">The most that are kept.</param>
internal sealed class IdlePool<T>(int capacity) : IDisposable
    where T : class, IDisposable
{
    private readonly T?[] _slots = new T?[capacity];
    private int _isClosed;

    /// <summary>An idle object, now the caller's alone; null when there is none.</summary>
    public T? Take()
    {
        // Threads on different processors begin apart, so that they rarely want the same slot.
        int start = Thread.GetCurrentProcessorId() % _slots.Length;
        for (int i = 0; i < _slots.Length; i++)
        {
            ref T? slot = ref _slots[(start + i) % _slots.Length];

            // The exchange decides who gets it; the read before only spares the exchange on empty slots.
            if (slot is not null && Interlocked.Exchange(ref slot, null) is T item)
            {
                return item;
            }
        }

        return null;
    }

    /// <summary>Keeps the object for the next <see cref="Take"/>, or disposes it when there is no room.</summary>
    public void Give(T item)
    {
        int start = Thread.GetCurrentProcessorId() % _slots.Length;
        for (int i = 0; i < _slots.Length; i++)
        {
            ref T? slot = ref _slots[(start + i) % _slots.Length];
            if (slot is null && Interlocked.CompareExchange(ref slot, item, null) is null)
            {
                // The exchange is a full barrier: either this sees the pool closed, or Dispose sees the object.
                if (Volatile.Read(ref _isClosed) != 0)
                {
                    Interlocked.Exchange(ref slot, null)?.Dispose();
                }

                return;
            }
        }

        item.Dispose();
    }

    /// <summary>Disposes the idle objects, and from now on each one that is given.</summary>
    public void Dispose()
    {
        // A full barrier before the slots are read; see Give.
        Interlocked.Exchange(ref _isClosed, 1);
        for (int i = 0; i < _slots.Length; i++)
        {
            Interlocked.Exchange(ref _slots[i], null)?.Dispose();
        }
    }
}
