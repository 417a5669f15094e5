using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Emulator;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>An accelerator whose engines work only when the test steps them.</summary>
internal sealed class SteppedDevice : IDisposable
{
    private readonly List<RingHost> _hosts = [];

    public SteppedDevice(int engines = 1, int lanes = 1, Action<OperationBatch>? execute = null, EmulatorOptions? options = null, BatchPlan? plan = null)
    {
        options ??= new EmulatorOptions { EngineCount = engines, SelfTest = false };
        Accelerator = EmulatedAccelerator.CreateStepped(options, () => new TestEngine(lanes, execute, plan: plan), NullLogger.Instance);
    }

    public EmulatedAccelerator Accelerator { get; }

    public DeviceEngine Engine(int number) => Accelerator.Engines[number];

    public RingHost Open(int depth = 1024, bool mapArena = true, bool start = true)
    {
        var host = new RingHost(Accelerator.OpenQueue(), depth, mapArena, start);
        _hosts.Add(host);
        return host;
    }

    public bool Step() => Accelerator.Step();

    public void StepAll()
    {
        while (Step())
        {
        }
    }

    public void Dispose()
    {
        _hosts.ForEach(host => host.Dispose());
        Accelerator.Dispose();
    }
}
