using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Engines;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>A device whose SIMD engine is wrong computes with the scalar one.</summary>
public sealed class EngineFallbackTests
{
    private readonly List<string> _errors = [];
    private readonly List<string> _information = [];

    [Theory]
    [InlineData(8, "Crt 2048 bits, operation 1 of 8: the number is wrong.")]
    [InlineData(4, "Crt 2048 bits, operation 1 of 4: the number is wrong.")]
    [InlineData(1, "Crt 2048 bits, operation 3 of 8: the number is wrong.")]
    public void SIMD_engine_that_fails_its_test_is_replaced_for_all_engines_and_that_is_logged_once(int wrongFor, string failure)
    {
        var engines = new List<WrongEngine>();
        EngineChoice choice = Choose(() =>
        {
            engines.Add(new WrongEngine(wrongFor));
            return engines[^1];
        });
        Assert.True(choice.UsesSimd);
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 3 }, choice, Logger());
        Assert.StartsWith("scalar (OpenSSL", accelerator.EngineName);
        Assert.Equal((3, 1), (accelerator.EngineCount, accelerator.EngineLanes));
        Assert.Contains(failure, Assert.Single(_errors));
        Assert.All(engines, engine => Assert.True(engine.IsDisposed));
        Assert.Equal(
            $"RSA-2048, RSA-3072, RSA-4096: scalar (the SIMD engine failed: {failure.TrimEnd('.')})", accelerator.EngineChoice!.ToString());
        Assert.Contains(_information, line => line.Contains("the SIMD engine failed", StringComparison.Ordinal));
        AssertComputes(accelerator);
    }

    [Fact]
    public void SIMD_engine_that_failed_while_it_was_measured_is_logged_once()
    {
        EngineChoice choice = Choose(() => new CountingEngine(8, RsaStatus.Failed, (_, _) => 1));
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 2 }, choice, Logger());
        Assert.Contains("it ended as Failed", Assert.Single(_errors));
        Assert.Equal((2, 1), (accelerator.EngineCount, accelerator.EngineLanes));
        AssertComputes(accelerator);
    }

    [Fact]
    public void Engines_that_are_right_are_used_and_the_reason_is_logged()
    {
        EngineChoice choice = Choose(() => new WrongEngine(wrongFor: -1));
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 2 }, choice, Logger());
        Assert.Empty(_errors);
        Assert.StartsWith("wrong and scalar (OpenSSL", accelerator.EngineName);
        Assert.Equal((2, 8), (accelerator.EngineCount, accelerator.EngineLanes));
        Assert.Contains(_information, line => line.Contains(
            "RSA-2048, RSA-3072, RSA-4096: SIMD from 2 operations (scalar 10000 us, 4 together 15000 us, 8 together 30000 us)", StringComparison.Ordinal));
        AssertComputes(accelerator);
    }

    /// <summary>By a clock on which SIMD wins; the scalar engine is the real one otherwise.</summary>
    private static EngineChoice Choose(Func<ISelectiveEngine> createSimd)
    {
        TimeSpan now = default;
        return EngineChoice.Measure(
            () => new TimedEngine(new ScalarEngine(), _ => now += TimeSpan.FromMilliseconds(10)),
            () => new TimedEngine(createSimd(), count => now += TimeSpan.FromMilliseconds(count <= 4 ? 15 : 30)),
            null,
            () => now);
    }

    private static void AssertComputes(EmulatedAccelerator accelerator)
    {
        using var host = new RingHost(accelerator.OpenQueue());
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        EngineKey key = EngineKeys.OfBytes(256);
        var batch = new OperationBatch(1, new byte[OperationBatch.StorageBytes(1)]);
        key.AddCrt(batch, 42);
        batch.Key(0).CopyTo(host.Slot(0));
        batch.Input(0).CopyTo(host.Slot(0)[RingHost.InputAt..]);
        for (int i = 0; i < 20; i++)
        {
            host.WriteEntry(0x4000_0001, 31, RingHost.SlotIova(0), RingHost.SlotIova(0) + RingHost.InputAt, RingHost.SlotIova(i) + RingHost.OutputAt);
        }

        host.RingAndWake(doorbell);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(0u, host.Error(host.WaitAndReap()));
            Assert.Equal(key.CrtFormula(42), EngineKey.Number(host.Output(i, 256)));
        }
    }

    private ListLogger Logger() => new(_errors, _information);

    /// <summary>The scalar engine, wrong in its first result when it gets so many operations at once; with 1: in the third of eight.</summary>
    private sealed class WrongEngine(int wrongFor) : ISelectiveEngine
    {
        private readonly ScalarEngine _engine = new();

        public string Name => "wrong";

        public int Lanes => 8;

        public bool IsDisposed { get; private set; }

        public void Execute(OperationBatch batch) => Execute(batch, [.. Enumerable.Range(0, batch.Count)]);

        public void Execute(OperationBatch batch, ReadOnlySpan<int> operations)
        {
            _engine.Execute(batch, operations);
            foreach (int index in operations)
            {
                if (batch[index].ModulusBytes == 128 || batch[index].Algorithm == RsaAlgorithm.Plain)
                {
                    batch[index].Status = RsaStatus.Unsupported;
                }
            }

            if (wrongFor == 1 && operations.Length == 8)
            {
                batch.Output(operations[2])[0] ^= 1;
            }
            else if (operations.Length == wrongFor)
            {
                batch.Output(operations[0])[0] ^= 1;
            }
        }

        public void Dispose()
        {
            _engine.Dispose();
            IsDisposed = true;
        }
    }

    private sealed class TimedEngine(ISelectiveEngine engine, Action<int> spend) : ISelectiveEngine
    {
        public string Name => engine.Name;

        public int Lanes => engine.Lanes;

        public void Execute(OperationBatch batch) => engine.Execute(batch);

        public void Execute(OperationBatch batch, ReadOnlySpan<int> operations)
        {
            engine.Execute(batch, operations);
            spend(operations.Length);
        }

        public void Dispose() => engine.Dispose();
    }

    private sealed class ListLogger(List<string> errors, List<string> information) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            (logLevel >= LogLevel.Error ? errors : information).Add(formatter(state, exception));
    }
}
