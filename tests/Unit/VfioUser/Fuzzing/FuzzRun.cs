using System.Collections.Concurrent;
using WarpDrive.Emulator;

namespace WarpProxy.Tests.Unit.VfioUser.Fuzzing;

/// <summary>
/// A device with fuzzed clients and one that does all right. After each round of steps: the right one is served rightly, nothing failed that nobody foresaw, and
/// nothing of the others is left: no connection, queue, mapping or descriptor.
/// </summary>
internal sealed class FuzzRun : IDisposable
{
    private const int StepsBetweenChecks = 50;

    private readonly ErrorLogger _errors = new();
    private readonly FuzzDescriptors _descriptors = new();
    private readonly ServedDevice _device;
    private readonly Witness _witness;
    private readonly long _mappedBytes;
    private long _mostMapped;

    public FuzzRun(int seed)
    {
        var options = new EmulatorOptions
        {
            EngineCount = 2,
            SelfTest = false,
            MaxQueues = 3,
            MaxDmaMaps = 4,
            MaxMappedBytes = 1 << 20,
            MaxTotalMappedBytes = (1 << 20) + (3 * 8192),
        };
        _device = new ServedDevice(options, () => Witness.Engine(4), logger: _errors);
        _witness = new Witness(_device.OpenClient(), seed);
        _mappedBytes = _device.Accelerator.MappedBytes;
    }

    /// <summary>How many operations ended with a result and with an error, and how many bytes were mapped at most: what the fuzzing reached.</summary>
    public string Reached => $"{_device.Accelerator.OperationsCompleted} operations computed, {_device.Accelerator.OperationErrors} refused; {_mostMapped - _mappedBytes} bytes mapped at most";

    /// <summary>Lets the clients do their steps, and looks.</summary>
    public void Round(IReadOnlyCollection<FuzzStep> steps, bool countDescriptors)
    {
        FuzzClient[] clients = [.. Enumerable.Range(0, FuzzGenerator.Clients).Select(_ => new FuzzClient(_device, _descriptors))];
        try
        {
            int done = 0;
            foreach (FuzzStep step in steps)
            {
                clients[step.Client].Do(step);
                if (++done % StepsBetweenChecks == 0)
                {
                    _witness.Check(3);
                    _mostMapped = Math.Max(_mostMapped, _device.Accelerator.MappedBytes);
                }
            }
        }
        finally
        {
            Array.ForEach(clients, client => client.Dispose());
        }

        _device.AwaitOthersGone(1);
        _witness.Check(20);
        Assert.Equal(_mappedBytes, _device.Accelerator.MappedBytes);
        Assert.True(SpinWait.SpinUntil(() => _device.Server.OutstandingDescriptors == 0, ServedDevice.Timeout));
        Assert.True(_errors.Seen.IsEmpty, _errors.Seen.FirstOrDefault());
        if (countDescriptors)
        {
            Assert.All(_descriptors.CountCopies(), static copies => Assert.Equal(1, copies));
        }
    }

    public void Dispose()
    {
        _witness.Dispose();
        _device.Dispose();
        _descriptors.Dispose();
    }

    private sealed class ErrorLogger : ILogger
    {
        public ConcurrentQueue<string> Seen { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Seen.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }
    }
}
