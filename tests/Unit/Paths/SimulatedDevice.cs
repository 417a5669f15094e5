using WarpDrive.Driver.Paths;

namespace WarpProxy.Tests.Unit.Paths;

/// <summary>A device of a <see cref="PathSimulation"/>: engines that compute what waits in batches.</summary>
/// <param name="batchMicroseconds">What an engine needs for so many operations together.</param>
internal sealed class SimulatedDevice(Func<int, double> batchMicroseconds)
{
    private readonly Queue<Action> _waiting = new();
    private int _busyEngines;

    /// <summary>Operations that an engine computes together.</summary>
    public int Lanes { get; init; } = 1;

    public int Engines { get; init; } = 1;

    /// <summary>As many operations fit.</summary>
    public int Queues { get; init; } = 16;

    /// <summary>What an answer takes beyond computing.</summary>
    public double DetourMicroseconds { get; init; } = 20;

    /// <summary>Whether its engines are threads on the processors of the simulation.</summary>
    public bool SharesProcessors { get; init; }

    /// <summary>So many times slower than it was made.</summary>
    public double Slowness { get; set; } = 1;

    public DeviceService Service => _service ??= new DeviceService(SharesProcessors);

    public int InFlight { get; private set; }

    /// <summary>What its engines have computed.</summary>
    public (long Operations, double Microseconds) Work { get; private set; }

    private DeviceService? _service;

    public bool HasRoom => InFlight < Queues;

    /// <summary>Takes an operation; <paramref name="done"/> is called when its answer is there.</summary>
    public void Take(PathSimulation simulation, Action done)
    {
        InFlight++;
        _waiting.Enqueue(done);

        // What comes at the same moment is computed together.
        simulation.After(DetourMicroseconds / 2, () => Compute(simulation));
    }

    private void Compute(PathSimulation simulation)
    {
        while (_waiting.Count > 0 && _busyEngines < Engines)
        {
            Action[] batch = [.. Enumerable.Range(0, Math.Min(Lanes, _waiting.Count)).Select(_ => _waiting.Dequeue())];
            double work = batchMicroseconds(batch.Length) * Slowness;
            _busyEngines++;
            Action<double, Action> compute = SharesProcessors ? simulation.Run : simulation.After;
            compute(work, () =>
            {
                _busyEngines--;
                Work = (Work.Operations + batch.Length, Work.Microseconds + work);
                simulation.After(DetourMicroseconds / 2, () => Array.ForEach(batch, done =>
                {
                    InFlight--;
                    done();
                }));
                Compute(simulation);
            });
        }
    }
}
