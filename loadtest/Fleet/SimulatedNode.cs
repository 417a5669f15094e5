using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>
/// One node as a model of queues, in simulated time. A handshake waits for a lane and a processor; computes what comes before its private-key operation; has that computed where it
/// is, or posts it to the device, waits there with its lane but without a processor, at most until its deadline; and computes what comes after it.
/// <code>
///  arrival ─> waits ─> before ─┬─> software ────────────────────┬─> after ─> client is done ─> rest
///          (or is refused)     └─> device, or deadline, software┘
/// </code>
/// </summary>
/// <remarks>What it leaves out: the network, the operating system's slices, garbage collections, HTTP. Whoever reads its answers adds those.</remarks>
internal sealed class SimulatedNode
{
    // As PathChoice and PathScan have it: the load is evened out over eight operations; a device is preferred when a tenth better, and no longer when a twentieth worse.
    private const double LoadWeight = 1.0 / 8;
    private const double Better = 0.9;
    private const double Worse = 1.05;

    private readonly NodeShape _shape;
    private readonly ServiceTimes _times;
    private readonly Random _arrivalChance;
    private readonly Random _serviceChance;
    private readonly EventQueue _events = new();
    private readonly Processors _processors;
    private readonly SimulatedDevice? _device;
    private readonly Queue<Handshake> _waiting = new();
    private readonly LatencyHistogram _latency = new();
    private readonly Count _count = new();
    private int _freeLanes;
    private double _load;
    private bool _prefersDevice;
    private int _inside;            // handshakes that have come and are not done
    private double _insideTime;     // their number by time
    private double _changed;        // when that was added up last

    private SimulatedNode(NodeShape shape, ServiceTimes times, int seed)
    {
        _shape = shape;
        _times = times;

        // Of their own, so that another service time leaves the clients as they are.
        _arrivalChance = new Random(seed);
        _serviceChance = new Random(~seed);
        _processors = new Processors(_events, shape.Cores) { Beginning = TryBegin };
        _freeLanes = shape.Lanes;
        _device = shape.Engines > 0 && times.HasDevice && shape.Path != SimulatedPath.Software
            ? new SimulatedDevice(_events, times, shape.Engines, shape.HasOwnProcessors ? null : _processors, Vary)
            : null;
    }

    /// <summary>Sends clients to a node, and tells how they fared.</summary>
    /// <param name="shape">The node.</param>
    /// <param name="times">What handshakes cost.</param>
    /// <param name="arrivals">When clients come.</param>
    /// <param name="handshakes">How many come; of the first tenth of them the latency does not count, since the node is empty at first.</param>
    /// <param name="seed">The same seed gives the same answer.</param>
    public static NodeOutcome Run(NodeShape shape, ServiceTimes times, IArrivals arrivals, int handshakes, int seed)
    {
        var node = new SimulatedNode(shape, times, seed);
        node.Send(arrivals, handshakes);
        node._events.Run();
        return node.Outcome(handshakes);
    }

    private void Send(IArrivals arrivals, int handshakes)
    {
        int sent = 0;
        void Arrive()
        {
            sent++;
            if (sent < handshakes)
            {
                _events.After(arrivals.Next(_arrivalChance), Arrive);
            }

            Admit(new Handshake(_events.Now, _arrivalChance.NextDouble() < _shape.Resumed, IsCounted: sent > handshakes / 10));
        }

        _events.After(arrivals.Next(_arrivalChance), Arrive);
    }

    private void Admit(Handshake handshake)
    {
        if (_waiting.Count >= _shape.MaxWaiting)
        {
            _count.Refused++;
            return;
        }

        Change(1);
        _waiting.Enqueue(handshake);
        _processors.GiveTurns();
    }

    /// <summary>The handshake that waits longest, if there is one and a lane for it.</summary>
    private Action? TryBegin()
    {
        while (_freeLanes > 0 && _waiting.TryDequeue(out Handshake? handshake))
        {
            if (_events.Now - handshake.Came > _shape.LaneTimeout)
            {
                _count.Refused++;
                Change(-1);
                continue;
            }

            _freeLanes--;
            return () => Begin(handshake);
        }

        return null;
    }

    private void Begin(Handshake handshake)
    {
        double cold = _processors.HasIdle ? Vary(_times.Cold) : 0;
        if (handshake.IsResumed)
        {
            double rest = Math.Min(_times.Rest, _times.Resumed);
            _processors.Run(cold + Vary(_times.Resumed - rest), () => End(handshake, rest, isTurn: true));
            return;
        }

        _count.Full++;
        if (!ChoosesDevice())
        {
            _count.Software++;
            _processors.Run(cold + Vary(_times.Before) + Vary(_times.Software) + Vary(_times.After), () => End(handshake, _times.Rest, isTurn: true));
            return;
        }

        _processors.Run(cold + Vary(_times.Before), () =>
        {
            Post(handshake);
            _processors.EndTurn();
        });
    }

    private void Post(Handshake handshake)
    {
        bool isAnswered = false;
        bool isGivenUp = false;
        _events.After(_times.Detour / 2, () => _device!.Post(() => _events.After(_times.Detour / 2, () =>
        {
            isAnswered = true;
            if (!isGivenUp)
            {
                _count.Device++;
                _processors.Run(Vary(_times.Offload + _times.After), () => End(handshake, _times.Rest, isTurn: false));
            }
        })));
        _events.After(_shape.Deadline, () =>
        {
            if (!isAnswered)
            {
                isGivenUp = true;
                _count.Overdue++;
                _count.Software++;
                _processors.Run(Vary(_times.Offload + _times.Software + _times.After), () => End(handshake, _times.Rest, isTurn: false));
            }
        });
    }

    /// <summary>The client is done. The proxy is when it has closed the connection.</summary>
    private void End(Handshake handshake, double rest, bool isTurn)
    {
        _freeLanes++;
        Change(-1);
        double latency = _events.Now - handshake.Came;
        _count.Served++;
        _count.End = _events.Now;
        _count.LatencySum += latency;
        if (handshake.IsCounted)
        {
            _latency.Record((long)Math.Round((latency + _times.Client) * 1000));
        }

        if (rest > 0)
        {
            _processors.Run(Vary(rest), static () => { });
        }

        if (isTurn)
        {
            _processors.EndTurn();
        }
        else
        {
            _processors.GiveTurns();        // who waited for a lane
        }
    }

    private bool ChoosesDevice()
    {
        if (_device is null)
        {
            return false;
        }

        // Lanes at work, and who waits for them.
        int load = Math.Min(_shape.Lanes, _shape.Lanes - _freeLanes + _waiting.Count);
        _load += (load - _load) * (_load == 0 ? 1 : LoadWeight);
        if (_device.InFlight >= _shape.Queues)
        {
            _count.Overflow++;
            return false;
        }

        if (_shape.Path == SimulatedPath.Device)
        {
            return true;
        }

        // Where engines take the proxy's processors, the cheaper is the better; else the sooner.
        (double device, double software) = _shape.HasOwnProcessors
            ? (_device.ExpectedAnswer() + _times.Offload, _times.Software * Math.Max(1, _load / _shape.Cores))
            : (_device.CostAt(_load) + _times.Offload, _times.Software);
        _prefersDevice = device < software * (_prefersDevice ? Worse : Better);
        return _prefersDevice;
    }

    private double Vary(double mean) => Draw.Time(_serviceChance, mean, _times.Spread);

    private void Change(int by)
    {
        _insideTime += _inside * (_events.Now - _changed);
        _changed = _events.Now;
        _inside += by;
    }

    private NodeOutcome Outcome(int offered) => new()
    {
        Offered = offered,
        Seconds = _count.End / 1e6,
        Served = _count.Served,
        Refused = _count.Refused,
        FullHandshakes = _count.Full,
        ByDevice = _count.Device,
        BySoftware = _count.Software,
        Overdue = _count.Overdue,
        Overflow = _count.Overflow,
        Latency = _latency,
        MeanLatency = _count.Served == 0 ? 0 : _count.LatencySum / _count.Served,
        MeanInside = _count.End == 0 ? 0 : _insideTime / _count.End,
        ProcessorBusy = Share(_processors.BusyTime, _shape.Cores),
        EngineBusy = _device is null ? 0 : Share(_device.BusyTime, _shape.Engines),
        MeanBatch = _device is null or { Batches: 0 } ? 0 : (double)_device.Operations / _device.Batches,
        ProcessorTimePerHandshake = _count.Served == 0 ? 0 : _processors.BusyTime / _count.Served,
    };

    private double Share(double busy, int of) => _count.End == 0 ? 0 : Math.Min(1, busy / of / _count.End);

    private sealed record Handshake(double Came, bool IsResumed, bool IsCounted);

    private sealed class Count
    {
        public double End;          // when the last client was done
        public double LatencySum;
        public long Served;
        public long Refused;
        public long Full;
        public long Device;
        public long Software;
        public long Overdue;
        public long Overflow;
    }
}
