using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.Devices;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>What the attributes of mediated devices say.</summary>
public sealed class MdevDiscoveryTests : IDisposable
{
    private const string First = "2ad9f208-7da3-11e8-8709-57742f618a28";
    private const string Second = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    private readonly FakeKernel _kernel = new();
    private readonly FakeMdevTree _tree;

    public MdevDiscoveryTests()
    {
        _tree = new FakeMdevTree(_kernel);
        File.WriteAllText(AddDirectory("vfio") + "/vfio", "");
        File.WriteAllText(AddDirectory("vfio") + "/7", "");
        File.WriteAllText(AddDirectory("vfio") + "/12", "");
    }

    public void Dispose() => _kernel.Dispose();

    [Fact]
    public void Machine_without_mediated_devices_has_none()
    {
        Assert.Empty(MdevDiscovery.FindDevices(_kernel.Tree));
        Assert.Empty(MdevDiscovery.FindTypes(_kernel.Tree));
    }

    [Fact]
    public void Devices_are_described_by_their_links_and_attributes()
    {
        _tree.AddType("0000:75:00.0", "hisi_hpre-rsa", "hisi_qm_v1");
        _tree.AddType("0000:b5:00.0", "warpdrive-rsa", "vfio-pci");
        _tree.AddSpimdev("0000:75:00.0", iommuType: "3", dmaFlag: "9");
        _tree.AddDevice("0000:b5:00.0", "warpdrive-rsa", Second, "12");
        _tree.AddDevice("0000:75:00.0", "hisi_hpre-rsa", First, "7");
        Assert.Equal(
            [
                new MdevDescription(
                    First, "0000:75:00.0", "hisi_hpre-rsa", "hisi_qm_v1", "7", VfioIommuType.Type1V2, SpimdevDma.SingleProcess | SpimdevDma.SharedAddressesWithoutFaults, null),
                new MdevDescription(Second, "0000:b5:00.0", "warpdrive-rsa", "vfio-pci", "12", null, null, null),
            ],
            MdevDiscovery.FindDevices(_kernel.Tree));
    }

    [Fact]
    public void Device_without_a_group_is_found_with_what_is_missing()
    {
        _tree.AddType("0000:b5:00.0", "warpdrive-rsa", "vfio-platform");
        _tree.AddDevice("0000:b5:00.0", "warpdrive-rsa", First, group: null);
        MdevDescription device = Assert.Single(MdevDiscovery.FindDevices(_kernel.Tree));
        Assert.Equal("", device.Group);
        Assert.StartsWith($"Mediated device {First} has no IOMMU group: ", device.Obstacle, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_say_how_many_are_left()
    {
        _tree.AddType("0000:75:00.0", "hisi_hpre-rsa", "hisi_qm_v1", "255");
        _tree.AddType("0000:75:00.0", "hisi_hpre-full", "hisi_qm_v1", "0");
        _tree.AddType("0000:b5:00.0", "i915-GVTg_V5_4", "vfio-pci-graphics", "1");
        _tree.AddType("0000:b6:00.0", "hisi_hpre-mute", "hisi_qm_v2", "many");
        IReadOnlyList<MdevType> types = MdevDiscovery.FindTypes(_kernel.Tree);
        Assert.Equal(["hisi_hpre-full", "hisi_hpre-rsa", "i915-GVTg_V5_4", "hisi_hpre-mute"], types.Select(static type => type.Name));
        Assert.Equal([0, 255, 1, null], types.Select(static type => type.AvailableInstances));
        Assert.EndsWith("is 0.", types[0].Obstacle, StringComparison.Ordinal);
        Assert.Null(types[1].Obstacle);
        Assert.Contains("has the device_api 'vfio-pci-graphics'", types[2].Obstacle, StringComparison.Ordinal);
        Assert.Contains("does not say how many are left", types[3].Obstacle, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2AD9F208-7DA3-11E8-8709-57742F618A28", First)]
    [InlineData(First, First)]
    public void Uuid_is_written_as_the_kernel_writes_it(string text, string uuid)
    {
        Assert.True(MdevDescription.TryParseUuid(text, out string parsed));
        Assert.Equal(uuid, parsed);
    }

    private string AddDirectory(string name) => Directory.CreateDirectory(_kernel.Tree.Dev(name)).FullName;
}
