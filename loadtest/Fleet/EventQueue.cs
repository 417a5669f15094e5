namespace WarpProxy.LoadTest.Fleet;

/// <summary>What is to happen, in the order of time; what happens at the same time in the order in which it was added.</summary>
internal sealed class EventQueue
{
    private readonly PriorityQueue<Action, (double Time, long Order)> _events = new();
    private long _order;

    /// <summary>The simulated time, in microseconds.</summary>
    public double Now { get; private set; }

    /// <summary>Something happens in so many microseconds from now.</summary>
    public void After(double microseconds, Action happens) => _events.Enqueue(happens, (Now + microseconds, _order++));

    /// <summary>Lets everything happen until nothing is left.</summary>
    public void Run()
    {
        while (_events.TryDequeue(out Action? happens, out (double Time, long Order) at))
        {
            Now = at.Time;
            happens();
        }
    }
}
