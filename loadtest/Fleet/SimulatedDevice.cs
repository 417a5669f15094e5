using WarpDrive.Engines;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>
/// The devices of a node: one line of operations, and engines that take batches from it by the rules of the emulated device (emulator/Engines/README.md, "How batches come about"): nothing
/// waits for company, and what waits is divided among free engines while that costs at most a tenth more. The batches are <see cref="BatchPlan"/>'s, as there.
/// </summary>
internal sealed class SimulatedDevice
{
    // As DeviceEngine has it.
    private const double MaxCostOfSplitting = 1.1;

    private readonly EventQueue _events;
    private readonly Processors? _processors;
    private readonly Func<double, double> _draw;
    private readonly ServiceTimes _times;
    private readonly BatchPlan _plan;
    private readonly int _engines;
    private readonly Queue<Action> _waiting = new();
    private int _busy;          // engines that compute, or want a processor to do so
    private int _asking;        // of those, the ones that want a processor

    /// <summary>Its engines are idle.</summary>
    /// <param name="events">The clock.</param>
    /// <param name="times">Of batches.</param>
    /// <param name="engines">How many; at least 1.</param>
    /// <param name="processors">Where engines compute; null: on processors of their own.</param>
    /// <param name="draw">Makes of a mean time a random one.</param>
    public SimulatedDevice(EventQueue events, ServiceTimes times, int engines, Processors? processors, Func<double, double> draw)
    {
        _events = events;
        _processors = processors;
        _draw = draw;
        _engines = engines;
        _times = times;
        _plan = PlanOf(times);
    }

    /// <summary>Operations that were posted and not completed.</summary>
    public int InFlight { get; private set; }

    /// <summary>Microseconds that engines computed, all together.</summary>
    public double BusyTime { get; private set; }

    /// <summary>Batches that were computed.</summary>
    public long Batches { get; private set; }

    /// <summary>Operations in them.</summary>
    public long Operations { get; private set; }

    /// <summary>How an engine divides what waits.</summary>
    public static BatchPlan PlanOf(ServiceTimes times) => times.EngineLanes == 1
        ? BatchPlan.Scalar
        : BatchPlan.FromTimes(new EngineTimes(times.Scalar, times.HalfPass, times.FullPass), times.EngineLanes);

    /// <summary>What so many operations cost on one engine, in microseconds.</summary>
    public static double CostOf(BatchPlan plan, ServiceTimes times, int operations) =>
        times.EngineLanes == 1 ? operations * times.Scalar : plan.Cost(operations);

    /// <summary>How many an engine takes of those that wait.</summary>
    /// <param name="plan">The engine's.</param>
    /// <param name="lanes">That it has.</param>
    /// <param name="waiting">At least 1.</param>
    /// <param name="free">Engines that compute nothing, this one included.</param>
    public static int ChooseBatch(BatchPlan plan, int lanes, int waiting, int free)
    {
        if (lanes == 1)
        {
            return 1;
        }

        int seen = Math.Min(waiting, lanes * free);
        double whole = Cost(seen, lanes);
        for (int sharers = free; sharers > 1; sharers--)
        {
            int share = (seen + sharers - 1) / sharers;
            if (Cost(seen, share) <= whole * MaxCostOfSplitting)
            {
                return plan.Portion(share);
            }
        }

        return plan.Portion(Math.Min(seen, lanes));

        double Cost(int operations, int share) => (operations / share * plan.Cost(share)) + plan.Cost(operations % share);
    }

    /// <summary>When one more operation would be done, counted from now, were all times their means: what <c>auto</c> has learned in time.</summary>
    public double ExpectedAnswer() => _times.Detour + CostOf(_plan, _times, (InFlight + _engines) / _engines);

    /// <summary>What one operation costs an engine where so many are there at once, in microseconds.</summary>
    public double CostAt(double load)
    {
        int together = Math.Clamp((int)Math.Round(load / _engines), 1, _times.EngineLanes);
        return CostOf(_plan, _times, together) / together;
    }

    /// <summary>Takes an operation, and calls back when it is computed.</summary>
    public void Post(Action completed)
    {
        InFlight++;
        _waiting.Enqueue(completed);
        Wake();
    }

    /// <summary>Lets idle engines begin.</summary>
    private void Wake()
    {
        // An engine without a processor of its own fetches when it gets one: by then more may have come.
        while (_busy < _engines && _waiting.Count > _asking)
        {
            _busy++;
            _asking++;
            Action[] batch = [];
            double Begin()
            {
                batch = Fetch();
                double time = batch.Length == 0 ? 0 : _draw(CostOf(_plan, _times, batch.Length));
                BusyTime += time;
                return time;
            }

            if (_processors is not null)
            {
                _processors.RunLate(Begin, () => Complete(batch));
            }
            else
            {
                _events.After(Begin(), () => Complete(batch));
            }
        }
    }

    /// <summary>Takes what an engine computes next; nothing, if another one was quicker.</summary>
    private Action[] Fetch()
    {
        _asking--;
        if (_waiting.Count == 0)
        {
            return [];
        }

        int computing = _busy - _asking - 1;
        var batch = new Action[ChooseBatch(_plan, _times.EngineLanes, _waiting.Count, _engines - computing)];
        for (int i = 0; i < batch.Length; i++)
        {
            batch[i] = _waiting.Dequeue();
        }

        Batches++;
        Operations += batch.Length;
        return batch;
    }

    private void Complete(Action[] batch)
    {
        InFlight -= batch.Length;
        _busy--;
        Wake();
        foreach (Action completed in batch)
        {
            completed();
        }
    }
}
