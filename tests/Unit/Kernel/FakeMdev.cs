using WarpDrive.Driver.Devices;
using WarpDrive.Emulator.Faults;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>A machine with one mediated device: its files, its kernel, its hardware, and the driver's view of it.</summary>
internal sealed class FakeMdev : IDisposable
{
    public const string Uuid = "2ad9f208-7da3-11e8-8709-57742f618a28";
    public const string Parent = "0000:75:00.0";
    public const string GroupName = "7";

    private FakeMdev(string type, string deviceApi, Func<FakeVfio, FakeDevice> make)
    {
        Tree = new FakeMdevTree(Kernel);
        Tree.AddType(Parent, type, deviceApi);
        Tree.AddDevice(Parent, type, Uuid, GroupName);
        Vfio = new FakeVfio(Kernel);
        Hardware = make(Vfio);
        Group = new FakeGroup(Kernel, GroupName, Uuid, Hardware);
        Vfio.Add(Group);
        Device = new MdevDevice(Kernel, Kernel.Tree, Uuid);
    }

    public FakeKernel Kernel { get; } = new();

    public FakeVfio Vfio { get; }

    public FakeMdevTree Tree { get; }

    public FakeGroup Group { get; }

    public FakeDevice Hardware { get; }

    public MdevDevice Device { get; }

    /// <summary>One of WarpDrive's first form.</summary>
    public static FakeMdev OfFirstForm(int version = 1, bool saysNumbers = true, FaultPlan? faults = null)
    {
        var machine = new FakeMdev("hisi_hpre-rsa", $"hisi_qm_v{version}", _ => new FakeSpimdev(version, saysNumbers, faults));
        machine.Tree.AddSpimdev(Parent);
        return machine;
    }

    /// <summary>One with the regions of the datasheet.</summary>
    public static FakeMdev OfDatasheet(FaultPlan? faults = null) => new("warpdrive-rsa", "vfio-platform", vfio => new FakeDatasheetDevice(vfio, faults));

    public void Dispose()
    {
        Hardware.Dispose();
        Kernel.Dispose();
    }
}
