using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpProxy.Tests.Unit.Simulation;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>The real emulated device with an engine that computes as <see cref="MarkingEngine"/> does, that can be held, and so can who connects.</summary>
internal sealed class HeldAccelerator : IDisposable
{
    private readonly HeldEngine _engine = new();
    private readonly EmulatedAccelerator _accelerator;
    private readonly ManualResetEventSlim _mayConnect = new(true);
    private int _connectCount;

    public HeldAccelerator(string uri)
    {
        _accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 1, SelfTest = false }, () => _engine, NullLogger.Instance);
        Endpoint = new DeviceEndpoint(uri, () =>
        {
            _mayConnect.Wait();
            Interlocked.Increment(ref _connectCount);
            return _accelerator.OpenQueue();
        });
    }

    public DeviceEndpoint Endpoint { get; }

    /// <summary>Queues opened so far.</summary>
    public int ConnectCount => Volatile.Read(ref _connectCount);

    /// <summary>Queues that are open.</summary>
    public int OpenCount => _accelerator.QueueCount;

    /// <summary>Whether an operation was begun since the last <see cref="Hold"/>.</summary>
    public bool HasEntered => _engine.HasEntered;

    public void Hold() => _engine.Hold();

    public void Release() => _engine.Release();

    public void HoldConnect() => _mayConnect.Reset();

    public void ReleaseConnect() => _mayConnect.Set();

    public void Dispose()
    {
        Release();
        ReleaseConnect();
        _accelerator.Dispose();
    }

    private sealed class HeldEngine : IRsaEngine
    {
        private readonly ManualResetEventSlim _mayRun = new(true);
        private volatile bool _hasEntered;

        public string Name => "held";

        public int Lanes => 1;

        public bool HasEntered => _hasEntered;

        public void Hold()
        {
            _hasEntered = false;
            _mayRun.Reset();
        }

        public void Release() => _mayRun.Set();

        public void Execute(OperationBatch batch)
        {
            _hasEntered = true;
            _mayRun.Wait();
            for (int i = 0; i < batch.Count; i++)
            {
                MarkingEngine.Compute(batch.Key(i), batch.Input(i), batch.Output(i));
                batch[i].Status = RsaStatus.Done;
            }
        }

        public void Dispose()
        {
        }
    }
}
