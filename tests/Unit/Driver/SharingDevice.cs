using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Emulator;
using WarpDrive.Emulator.Faults;
using WarpDrive.Engines;
using WarpProxy.Tests.Unit.Kernel;
using WarpProxy.Tests.Unit.VfioUser;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>A device of any kind with one queue, which computes for whoever names addresses.</summary>
internal sealed class SharingDevice : IDisposable
{
    public const string Embedded = "embedded";
    public const string Socket = "emulator";
    public const string Spimdev = "mdev, first form";
    public const string Datasheet = "mdev, datasheet";
    public const string Uacce = "uacce, shared addresses";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly IDisposable _device;
    private QueuePair? _pair;
    private ulong _tag;

    private SharingDevice(IDisposable device, DeviceQueue queue)
    {
        _device = device;
        Queue = queue;
    }

    /// <summary>Those that can be bad ones.</summary>
    public static IReadOnlyList<string> FaultyKinds { get; } = [Embedded, Socket, Spimdev, Datasheet];

    public static IReadOnlyList<string> Kinds { get; } = [.. FaultyKinds, Uacce];

    public DeviceQueue Queue { get; }

    public int InFlight => _pair!.InFlight;

    /// <summary>Opens one.</summary>
    /// <param name="kind">Of <see cref="Kinds"/>.</param>
    /// <param name="faults">What goes wrong in it, one of <see cref="FaultyKinds"/>: a plan in JSON.</param>
    public static SharingDevice Open(string kind, string? faults = null)
    {
        FaultPlan? plan = faults is null ? null : FaultPlan.Parse(Encoding.UTF8.GetBytes(faults));
        var options = new EmulatorOptions { SelfTest = false, Faults = plan };
        switch (kind)
        {
            case Socket:
                var served = new ServedDevice(options, static () => new ScalarEngine());
                return new SharingDevice(served, EmulatedDevice.Open(served.OpenClient(), 4));
            case Spimdev or Datasheet:
                FakeMdev mdev = kind == Spimdev ? FakeMdev.OfFirstForm(faults: plan) : FakeMdev.OfDatasheet(plan);
                return new SharingDevice(mdev, mdev.Device.OpenQueue(4));
            case Uacce:
                var machine = new UacceMachine();
                return new SharingDevice(machine, machine.Open());
            default:
                var accelerator = new EmulatedAccelerator(options, static () => new ScalarEngine(), NullLogger.Instance);
                return new SharingDevice(accelerator, EmulatedDevice.Open(accelerator.OpenQueue(), 4));
        }
    }

    public void Start(int slots) => _pair = new QueuePair(Queue, slots);

    public void Post(HpreAlgorithm algorithm, ulong key, ulong input, ulong output)
    {
        var entry = new SubmissionEntry
        {
            Control = SubmissionControl.Post(algorithm),
            TaskLength1 = 31,
            KeyIova = key,
            InputIova = input,
            OutputIova = output,
            Tag = ++_tag,
        };
        Assert.True(_pair!.TryPost(entry));
        _pair.Ring();
    }

    /// <summary>Posts an operation with RSA-2048 and waits for its end.</summary>
    public HpreError Compute(HpreAlgorithm algorithm, ulong key, ulong input, ulong output)
    {
        Post(algorithm, key, input, output);
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (true)
        {
            switch (_pair!.TryReap(out Completion completion))
            {
                case ReapResult.Completed:
                    Assert.Equal(_tag, completion.Tag);
                    return completion.Error;
                case ReapResult.Broken:
                    throw new InvalidOperationException("The device broke its protocol.");
            }

            TimeSpan left = Timeout - System.Diagnostics.Stopwatch.GetElapsedTime(start);
            Assert.True(left > TimeSpan.Zero, "no completion");
            _pair.Wait(left, TimeSpan.Zero);
        }
    }

    public void Dispose()
    {
        if (_pair is null)
        {
            Queue.Dispose();
        }
        else
        {
            _pair.Dispose();
        }

        _device.Dispose();
    }

    private sealed class UacceMachine : IDisposable
    {
        private readonly FakeKernel _kernel = new();
        private readonly FakeUacceDevice _device;

        public UacceMachine() => _device = new FakeUacceDevice(_kernel, "hisi_hpre-0", createEngine: static () => new ScalarEngine());

        public DeviceQueue Open() => UacceEndpoint.Create("uacce:hisi_hpre-0", _kernel.Tree, _kernel).Open(4);

        public void Dispose()
        {
            _device.Dispose();
            _kernel.Dispose();
        }
    }
}
