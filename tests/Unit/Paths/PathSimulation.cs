using WarpDrive.Driver;
using WarpDrive.Driver.Paths;

namespace WarpProxy.Tests.Unit.Paths;

/// <summary>
/// Clients, processors that share their time among the threads that want it, and devices, on a clock of its own: each event is the next one, so the same
/// seed gives the same run.
/// </summary>
internal sealed class PathSimulation(int processors, double softwareMicroseconds, params SimulatedDevice[] devices)
{
    private readonly PriorityQueue<Action, (double At, int Order)> _timers = new();
    private readonly List<(double Left, Action Done)> _running = [];
    private int _order;
    private int _underWay;
    private bool _isEnding;

    /// <summary>Null: the choice decides; -1: software always; else always this device.</summary>
    public int? Fixed { get; init; }

    /// <summary>Processor time of a connection beside its operation.</summary>
    public double OtherMicroseconds { get; init; }

    /// <summary>Connections beyond these wait for one of them to end.</summary>
    public int Lanes { get; init; } = 16;

    public PathChoice Choice { get; } = new(processors);

    public double Now { get; private set; }

    /// <summary>Each operation: when it ended, where it was computed (-1: software), how long it took, why it went there.</summary>
    public List<(double At, int Device, double Microseconds, PathDecision Decision)> Done { get; } = [];

    /// <summary>Of the last so many operations, those of one path.</summary>
    public double Share(int device, int last) => Done.TakeLast(last).Count(one => one.Device == device) / (double)last;

    /// <summary>Of the last so many operations on one path.</summary>
    public double Mean(int device, int last) => Done.TakeLast(last).Where(one => one.Device == device).Average(one => one.Microseconds);

    /// <summary>Operations per second, of the last so many.</summary>
    public double Rate(int last) => last / (Done[^1].At - Done[^(last + 1)].At) * 1e6;

    /// <summary>So many clients, each with one connection after the other, until so many operations are done.</summary>
    public void Serve(int clients, int operations)
    {
        int end = Done.Count + operations;
        var waiting = new Queue<Action>();
        int lanes = 0;
        void Connect()
        {
            if (_isEnding)
            {
                return;
            }

            if (lanes == Lanes)
            {
                waiting.Enqueue(Connect);
                return;
            }

            lanes++;
            Run(OtherMicroseconds / 2, () => Operate(() => lanes, () => Run(OtherMicroseconds / 2, () =>
            {
                lanes--;
                if (waiting.TryDequeue(out Action? next))
                {
                    After(0, next);
                }

                After(30, Connect);
            })));
        }

        for (int i = 0; i < clients; i++)
        {
            After(i * 7, Connect);
        }

        Step(() => Done.Count < end);
    }

    /// <summary>Connections that come by themselves, so many per second on average, until so many operations are done.</summary>
    public void Receive(double perSecond, int operations, int seed = 1)
    {
        var random = new Random(seed);
        int end = Done.Count + operations;
        int load = 0;
        void Arrive()
        {
            if (_isEnding)
            {
                return;
            }

            load++;
            Run(OtherMicroseconds, () => Operate(() => load, () => load--));
            After(-Math.Log(1 - random.NextDouble()) * 1e6 / perSecond, Arrive);
        }

        After(0, Arrive);
        Step(() => Done.Count < end);
    }

    /// <summary>Does something after a time in which no processor is needed.</summary>
    public void After(double microseconds, Action action) => _timers.Enqueue(action, (Now + microseconds, _order++));

    /// <summary>Does something after so much processor time.</summary>
    public void Run(double microseconds, Action action) => _running.Add((microseconds, action));

    private void Operate(Func<int> load, Action done)
    {
        _underWay++;
        PathTicket ticket = Choose(Math.Max(_underWay, load()));
        double since = Now;
        void End()
        {
            _underWay--;
            Done.Add((Now, ticket.Device, Now - since, ticket.Decision));
            done();
        }

        if (ticket.Device < 0)
        {
            Run(softwareMicroseconds, () =>
            {
                Choice.Software.Record(Nanoseconds(softwareMicroseconds), Nanoseconds(Now - since), Math.Max(1, ticket.Load), Nanoseconds(Now));
                End();
            });
            return;
        }

        SimulatedDevice device = devices[ticket.Device];
        (long operations, double work) = device.Work;
        device.Take(this, () =>
        {
            double each = device.SharesProcessors ? (device.Work.Microseconds - work) / (device.Work.Operations - operations) : 0;
            var measured = new DeviceMeasurement(AcceleratorError.None, Nanoseconds(Now - since), Nanoseconds(each));
            device.Service.Record(ticket, measured, Choice.Software.Work, Nanoseconds(Now));
            End();
        });
    }

    private PathTicket Choose(int load)
    {
        if (Fixed is { } device)
        {
            return device >= 0 && devices[device].HasRoom ? new PathTicket { Device = device, InFlight = 1 } : new PathTicket { Device = -1, Decision = PathDecision.Software };
        }

        PathScan scan = Choice.Begin(load, devices.Length, Nanoseconds(Now));
        for (int i = 0; i < devices.Length; i++)
        {
            scan.Offer(i, devices[i].Service, devices[i].InFlight, devices[i].HasRoom, devices[i].Engines);
        }

        return scan.Choose();
    }

    /// <summary>Goes from event to event; then lets what is under way end, and nothing new begin.</summary>
    private void Step(Func<bool> isOn)
    {
        for (_isEnding = false; isOn();)
        {
            Next();
        }

        for (_isEnding = true; _running.Count + _timers.Count > 0;)
        {
            Next();
        }
    }

    private void Next()
    {
        double rate = Math.Min(1, processors / (double)Math.Max(1, _running.Count));
        double toRun = _running.Count > 0 ? _running.Min(static one => one.Left) / rate : double.MaxValue;
        double toTimer = _timers.TryPeek(out _, out (double At, int) first) ? first.At - Now : double.MaxValue;
        double step = Math.Min(toRun, toTimer);
        Now += step;
        for (int i = 0; i < _running.Count; i++)
        {
            _running[i] = (_running[i].Left - (step * rate), _running[i].Done);
        }

        if (toTimer <= toRun)
        {
            _timers.Dequeue()();
            return;
        }

        Action[] ended = [.. _running.Where(static one => one.Left < 1e-6).Select(static one => one.Done)];
        _running.RemoveAll(static one => one.Left < 1e-6);
        Array.ForEach(ended, static done => done());
    }

    private static long Nanoseconds(double microseconds) => (long)(microseconds * 1000);
}
