using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>Each piece that a mediated device needs, missing: one sentence that names it, and nothing stays open.</summary>
public sealed class MissingPieceTests
{
    [Fact]
    public void Mediated_device_that_does_not_exist()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        Directory.Delete(machine.Kernel.Tree.Sys($"bus/mdev/devices/{FakeMdev.Uuid}"));
        AssertMissing(machine, Errno.ENOENT, $"There is no mediated device {FakeMdev.Uuid}: {machine.Kernel.Tree.Sys($"bus/mdev/devices/{FakeMdev.Uuid}")} does not exist");
    }

    [Fact]
    public void Iommu_group()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        Directory.Delete(machine.Kernel.Tree.Sys($"devices/pci0000:74/{FakeMdev.Parent}/{FakeMdev.Uuid}/iommu_group"));
        AssertMissing(machine, Errno.ENOENT, "has no IOMMU group");
    }

    [Theory]
    [InlineData("vfio")]
    [InlineData(FakeMdev.GroupName)]
    public void File_of_VFIO(string name)
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        string path = machine.Kernel.Tree.Dev($"vfio/{name}");
        File.Delete(path);
        AssertMissing(machine, Errno.ENOENT, $"{path} does not exist (errno 2): VFIO is not loaded");
    }

    [Theory]
    [InlineData("vfio")]
    [InlineData(FakeMdev.GroupName)]
    public void Permission(string name)
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        string path = machine.Kernel.Tree.Dev($"vfio/{name}");
        machine.Vfio.Forbid(name);
        AssertMissing(machine, Errno.EACCES, $"{path} may not be opened by this user (errno 13)");
    }

    [Fact]
    public void Group_that_another_process_has()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        using (machine.Group.Hold())
        {
            AssertMissing(machine, Errno.EBUSY, "VFIO opens a group once, and another process, or another device of this one, has it.");
        }

        machine.Device.OpenQueue(16).Dispose();
    }

    [Fact]
    public void Other_devices_of_the_group()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        machine.Group.IsViable = false;
        AssertMissing(machine, Errno.EPERM, "VFIO group 7 is not viable: another device of the group belongs to a driver of the kernel");
        machine.Group.IsViable = true;
        machine.Device.OpenQueue(16).Dispose();
    }

    [Fact]
    public void Iommu_type_that_the_device_asks_for()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        machine.Vfio.IommuTypes.Clear();
        machine.Vfio.IommuTypes.Add(3);
        AssertMissing(machine, Errno.ENODEV, "VFIO of this machine has no IOMMU of type 1 (1 and 3 are supported)");
    }

    [Fact]
    public void Any_iommu_type()
    {
        using FakeMdev machine = FakeMdev.OfDatasheet();
        machine.Vfio.IommuTypes.Clear();
        AssertMissing(machine, Errno.ENODEV, "VFIO of this machine has no IOMMU of type 3 or 1");
    }

    [Fact]
    public void Version_of_VFIO()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        machine.Vfio.ApiVersion = 1;
        AssertMissing(machine, Errno.EPROTO, "VFIO of this kernel has the version 1; it must be 0.");
    }

    [Fact]
    public void Memory_that_may_be_locked()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        machine.Vfio.MemoryLimit = 65536;
        using DeviceQueue queue = machine.Device.OpenQueue(16);
        LinuxException refusal = Assert.Throws<LinuxException>(() => new DmaArena(queue, 16).Dispose());
        Assert.Equal(Errno.ENOMEM, refusal.Error);
        Assert.StartsWith("VFIO cannot map 262144 bytes for its devices (errno 12): ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(LockedMemoryLimit.Read().Bytes is null ? "no memory left" : "ulimit -l ", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Queue_of_a_device_that_has_given_all()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        ((FakeSpimdev)machine.Hardware).MaxQueues = 1;
        using DeviceQueue first = machine.Device.OpenQueue(16);
        LinuxException refusal = Assert.Throws<LinuxException>(() => machine.Device.OpenQueue(16));
        Assert.Equal($"mdev:{FakeMdev.Uuid} has no queue left (errno 19); available_instances of its type says how many there are.", refusal.Message);
        Assert.Equal(4, machine.Kernel.OpenCount);
    }

    [Fact]
    public void Numbers_of_more_queues_than_one()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm(saysNumbers: false);
        using DeviceQueue first = machine.Device.OpenQueue(16);
        LinuxException refusal = Assert.Throws<LinuxException>(() => machine.Device.OpenQueue(16));
        Assert.Equal(Errno.ENOSPC, refusal.Error);
        Assert.Contains("serves one queue only, since its kernel does not say the numbers of others", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(4, machine.Kernel.OpenCount);
    }

    [Fact]
    public void Second_queue_of_a_device_of_the_datasheet()
    {
        using FakeMdev machine = FakeMdev.OfDatasheet();
        using DeviceQueue first = machine.Device.OpenQueue(16);
        LinuxException refusal = Assert.Throws<LinuxException>(() => machine.Device.OpenQueue(16));
        Assert.Equal(($"Mediated device {FakeMdev.Uuid} has one queue, which is open (errno 28).", Errno.ENOSPC), (refusal.Message, refusal.Error));
    }

    [Theory]
    [InlineData("wd_hzip_v1")]
    [InlineData("hisi_qm_v")]
    [InlineData("hisi_qm_v3")]
    [InlineData("vfio-ccw")]
    public void Driver_for_what_is_behind_it(string deviceApi)
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        machine.Tree.AddType(FakeMdev.Parent, "hisi_hpre-rsa", deviceApi);
        AcceleratorException refusal = Assert.Throws<AcceleratorException>(() => machine.Device.OpenQueue(16));
        Assert.Contains($"has the device_api '{deviceApi}'; it must be hisi_qm_v1, hisi_qm_v2, or vfio-platform or vfio-pci", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(machine.Kernel.Calls);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("2")]
    [InlineData("4")]
    [InlineData("16")]
    public void Way_to_memory(string dmaFlag)
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        machine.Tree.AddSpimdev(FakeMdev.Parent, dmaFlag: dmaFlag);
        AcceleratorException refusal = Assert.Throws<AcceleratorException>(() => machine.Device.OpenQueue(16));
        Assert.Contains($"has the dma_flag {dmaFlag}; it must have bit 0", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iommu_type")]
    [InlineData("dma_flag")]
    public void Word_on_how_memory_is_reached(string attribute)
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        File.WriteAllText(machine.Kernel.Tree.Sys($"devices/pci0000:74/{FakeMdev.Parent}/params/{attribute}"), "type1\n");
        AssertMissing(machine, Errno.ENOENT, "does not say how it reaches memory: iommu_type and dma_flag in ");
    }

    [Fact]
    public void Accelerator_for_RSA()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        machine.Tree.AddType(FakeMdev.Parent, "hisi_zip-zlib", "hisi_qm_v1");
        machine.Tree.AddDevice(FakeMdev.Parent, "hisi_zip-zlib", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", "8");
        AcceleratorException refusal = Assert.Throws<AcceleratorException>(
            () => new MdevDevice(machine.Kernel, machine.Kernel.Tree, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001").OpenQueue(16));
        Assert.Contains("is of type 'hisi_zip-zlib'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stores_for_eventfds()
    {
        using FakeMdev machine = FakeMdev.OfDatasheet();
        ((FakeDatasheetDevice)machine.Hardware).HasIoEventFds = false;
        AssertMissing(machine, Errno.ENOTTY, $"mdev:{FakeMdev.Uuid} takes no eventfd that wakes it (VFIO_DEVICE_IOEVENTFD, errno 25)");
    }

    [Theory]
    [InlineData("")]
    [InlineData("2ad9f208")]
    [InlineData("2ad9f2087da311e8870957742f618a28")]
    [InlineData("{2ad9f208-7da3-11e8-8709-57742f618a28}")]
    [InlineData("2ad9f208-7da3-11e8-8709-57742f618a2g")]
    [InlineData("2ad9f208-7da3-11e8-8709-57742f618a28/..")]
    public void Uuid(string name)
    {
        AcceleratorException refusal = Assert.Throws<AcceleratorException>(
            () => MdevEndpoint.Create($"mdev:{name}", DeviceTree.Default, KernelDeviceCalls.Instance));
        Assert.Equal($"The device is 'mdev:{name}'; a mediated device is mdev: and its UUID, 8-4-4-4-12 hexadecimal digits.", refusal.Message);
    }

    private static void AssertMissing(FakeMdev machine, int error, string sentence)
    {
        LinuxException refusal = Assert.Throws<LinuxException>(() => machine.Device.OpenQueue(16));
        Assert.Equal(error, refusal.Error);
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.Equal(0, machine.Kernel.OpenCount);
    }
}
