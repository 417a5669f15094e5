namespace WarpDrive.Driver;

/// <summary>
/// A last-in-first-out set of the numbers 0 to capacity - 1, without a lock and without allocation (Treiber's stack).
/// Any thread may call any member; a number must not be pushed twice without having been popped.
/// </summary>
internal sealed class IndexStack(int capacity)
{
    private readonly int[] _below = new int[capacity];

    // Low half: top + 1, so that 0 is the empty stack. High half: a version that each change raises, so that a pop which
    // was overtaken by a pop and a push of the same number (ABA) fails and tries again.
    private long _top;

    /// <summary>Whether there was nothing to pop a moment ago.</summary>
    public bool IsEmpty => (int)Volatile.Read(ref _top) == 0;

    public void Push(int index)
    {
        while (true)
        {
            long top = Volatile.Read(ref _top);
            Volatile.Write(ref _below[index], (int)top);
            if (Interlocked.CompareExchange(ref _top, Next(top, index + 1), top) == top)
            {
                return;
            }
        }
    }

    public bool TryPop(out int index)
    {
        while (true)
        {
            long top = Volatile.Read(ref _top);
            index = (int)top - 1;
            if (index < 0)
            {
                return false;
            }

            // May be stale when another thread pops and pushes in between; then the exchange fails.
            int below = Volatile.Read(ref _below[index]);
            if (Interlocked.CompareExchange(ref _top, Next(top, below), top) == top)
            {
                return true;
            }
        }
    }

    private static long Next(long top, int value) => unchecked(((top >> 32) + 1) << 32) | (uint)value;
}
