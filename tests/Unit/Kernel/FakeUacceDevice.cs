using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Uacce;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>How a device and the kernel's driver of it are.</summary>
internal sealed record FakeUacceOptions
{
    public string Api { get; init; } = "hisi_qm_v2";

    public string Algorithms { get; init; } = "rsa\ndh";

    public UacceFlags Flags { get; init; } = UacceFlags.SharedAddresses;

    public int Instances { get; init; } = 1024;

    public int NumaNode { get; init; } = -1;

    public int DusBytes { get; init; } = DeviceUserShare.SizeInBytes;

    /// <summary>As qm_alloc_uacce has it: one page for version 1, then the doorbells' offset more.</summary>
    public int MmioBytes => Api == "hisi_qm_v1" ? 4096 : 8192;

    /// <summary>Whether the kernel has the region of openEuler's.</summary>
    public bool HasStaticShare { get; init; }

    /// <summary>Whether the kernel can isolate devices: newer ones can.</summary>
    public bool CanIsolate { get; init; } = true;

    /// <summary>Whether PUT_Q gives the queue up, as in older kernels, or stops it only.</summary>
    public bool PutQueueReleases { get; init; }

    /// <summary>Whether the kernel knows SET_QP_INFO.</summary>
    public bool KnowsQueueInfo { get; init; } = true;
}

/// <summary>A device of UACCE: its attributes in /sys, its file in /dev, its queues. The emulated accelerator computes.</summary>
internal sealed class FakeUacceDevice : IDisposable
{
    // A store into memory tells nobody: somebody has to look.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(1);

    private readonly FakeKernel _kernel;
    private readonly EmulatedAccelerator _accelerator;
    private readonly List<FakeUacceQueue> _queues = [];     // under itself
    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _looking;
    private bool _isRemoved;        // under _queues

    public FakeUacceDevice(FakeKernel kernel, string name, FakeUacceOptions? options = null, Func<IRsaEngine>? createEngine = null)
    {
        _kernel = kernel;
        Name = name;
        Options = options ?? new FakeUacceOptions();
        var limits = new EmulatorOptions { EngineCount = 1, SelfTest = false };
        _accelerator = new EmulatedAccelerator(limits, createEngine ?? (static () => new ScalarEngine()), NullLogger.Instance);
        WriteAttributes();
        kernel.AddNode(name, Open);
        _looking = new Thread(Look) { IsBackground = true, Name = "fake-doorbells" };
        _looking.Start();
    }

    public string Name { get; }

    public FakeUacceOptions Options { get; }

    /// <summary>Queues that are open.</summary>
    public int QueueCount => Snapshot().Length;

    /// <summary>Operations that the device completed.</summary>
    public long OperationsCompleted => _accelerator.OperationsCompleted;

    /// <summary>Doorbells with a wrong queue number, command or index.</summary>
    public int IgnoredDoorbells => Snapshot().Sum(static queue => queue.IgnoredDoorbells);

    /// <summary>Queues that are open.</summary>
    public FakeUacceQueue[] Snapshot()
    {
        lock (_queues)
        {
            return [.. _queues];
        }
    }

    /// <summary>Too many hardware errors, or an end of that; queues that are open stay as they are. Source: hisi_qm_get_isolate_state.</summary>
    public void SetIsolated(bool isIsolated) => WriteAttribute("isolate", isIsolated ? 1 : 0);

    /// <summary>A reset after a hardware error: every queue is dead, new ones work. Source: qm.c, hisi_qm_stop with QM_SOFT_RESET.</summary>
    public void Reset() => Array.ForEach(Snapshot(), static queue => queue.Halt());

    /// <summary>The driver is unbound. Source: uacce_remove.</summary>
    public void Remove()
    {
        // As the kernel's lock has it: who opens a queue at this moment has it before, and loses it with the others, or is refused; nobody writes attributes meanwhile.
        lock (_queues)
        {
            _isRemoved = true;
            _kernel.RemoveNode(Name);
            Directory.Delete(_kernel.Tree.Sys($"class/uacce/{Name}"), recursive: true);
        }

        Array.ForEach(Snapshot(), static queue => queue.Remove());
    }

    public void Dispose()
    {
        _end.Set();
        _looking.Join();
        _accelerator.Dispose();
        _end.Dispose();
    }

    /// <summary>A queue was given back.</summary>
    internal void Release(FakeUacceQueue queue)
    {
        lock (_queues)
        {
            if (_queues.Remove(queue))
            {
                WriteAvailable();
            }
        }
    }

    private FakeUacceQueue Open()
    {
        lock (_queues)
        {
            if (_isRemoved)
            {
                throw new LinuxException("open", Name, Errno.ENOENT);
            }

            // qm_create_qp_nolock: "QM all %u queues of QM are busy!"
            if (_queues.Count >= Options.Instances)
            {
                throw new LinuxException("open", Name, Errno.EBUSY);
            }

            var queue = new FakeUacceQueue(this, _accelerator.OpenVirtualQueue());
            _queues.Add(queue);
            WriteAvailable();
            return queue;
        }
    }

    private void Look()
    {
        while (!_end.Wait(LookInterval))
        {
            Array.ForEach(Snapshot(), static queue => queue.LookAtDoorbell());
        }
    }

    private void WriteAttributes()
    {
        _kernel.WriteSys($"class/uacce/{Name}/api", Options.Api);
        _kernel.WriteSys($"class/uacce/{Name}/algorithms", Options.Algorithms);
        WriteAttribute("flags", (int)Options.Flags);
        WriteAttribute("available_instances", Options.Instances);
        WriteAttribute("region_mmio_size", Options.MmioBytes);
        WriteAttribute("region_dus_size", Options.DusBytes);
        WriteAttribute("device/numa_node", Options.NumaNode);
        if (Options.CanIsolate)
        {
            SetIsolated(false);
        }
    }

    private void WriteAvailable()
    {
        if (!_isRemoved)
        {
            WriteAttribute("available_instances", Options.Instances - _queues.Count);
        }
    }

    private void WriteAttribute(string name, int value) => _kernel.WriteSys($"class/uacce/{Name}/{name}", value.ToString(CultureInfo.InvariantCulture));
}
