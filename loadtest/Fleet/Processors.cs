namespace WarpProxy.LoadTest.Fleet;

/// <summary>
/// The processors of a node, shared by all work that is ready: each piece gets one for a slice, and then goes behind the others, as an operating system does it. Handshakes that
/// begin take turns before that: as many as there are processors compute at the same time, as the proxy's lanes have it; what goes on after a device has answered, and engines,
/// compute whatever else does.
/// </summary>
/// <param name="events">The clock.</param>
/// <param name="count">How many there are.</param>
internal sealed class Processors(EventQueue events, int count)
{
    /// <summary>Of Linux, where several threads want a processor: about a millisecond.</summary>
    private const double Slice = 1000;

    private readonly Queue<Work> _ready = new();
    private int _busy;
    private int _turns;
    private bool _isPassing;        // from one piece of work to the next: the processor has not been idle

    /// <summary>Microseconds that processors were busy, all together.</summary>
    public double BusyTime { get; private set; }

    /// <summary>Whether a processor has nothing to do, and has had nothing before.</summary>
    public bool HasIdle => _busy < count && _ready.Count == 0 && !_isPassing;

    /// <summary>Where a handshake that begins is asked for when it is one's turn: null while there is none.</summary>
    public Func<Action?> Beginning { get; set; } = static () => null;

    /// <summary>Work that needs a processor for so long, and then something happens.</summary>
    public void Run(double time, Action done) => RunLate(() => time, done);

    /// <summary>As above, where only the moment when it gets a processor settles how long it takes.</summary>
    public void RunLate(Func<double> time, Action done)
    {
        _ready.Enqueue(new Work(time, done));
        Dispatch();
    }

    /// <summary>A handshake that has begun computes no more for now, or is done: it is another one's turn.</summary>
    public void EndTurn()
    {
        _turns--;
        GiveTurns();
    }

    /// <summary>Lets handshakes begin, if any may; to be called when one has come.</summary>
    public void GiveTurns()
    {
        while (_turns < count && Beginning() is { } begin)
        {
            _turns++;
            begin();
        }
    }

    private void Dispatch()
    {
        while (_busy < count && _ready.TryDequeue(out Work? work))
        {
            _busy++;
            work.Left ??= work.Time();
            double slice = Math.Min(Slice, work.Left.Value);
            BusyTime += slice;
            events.After(slice, () => EndSlice(work, slice));
        }
    }

    private void EndSlice(Work work, double slice)
    {
        _busy--;
        work.Left -= slice;
        if (work.Left > 0)
        {
            _ready.Enqueue(work);
        }
        else
        {
            _isPassing = true;
            work.Done();
            _isPassing = false;
        }

        Dispatch();
    }

    private sealed class Work(Func<double> time, Action done)
    {
        public Func<double> Time => time;

        public Action Done => done;

        public double? Left { get; set; }
    }
}
