using WarpDrive.Linux;
using WarpProxy.Doctor;

namespace WarpProxy.Tests.Unit.Doctor;

/// <summary>What is told of the accelerators that a kernel shows, here in directories of the same shape.</summary>
public sealed class KernelDeviceCheckTests : IDisposable
{
    private const string Uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("warp-doctor-");
    private readonly DeviceTree _tree;

    public KernelDeviceCheckTests() => _tree = new DeviceTree(Path.Combine(_root.FullName, "dev"), Path.Combine(_root.FullName, "sys"));

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Machine_without_accelerators_is_told_so_and_lacks_nothing()
    {
        Assert.Equal($"this machine has no such accelerator: {_tree.Sys("class/uacce")} does not exist", Assert.Single(Uacce()).Seen);
        Finding[] mdev = Mdev();
        Assert.All(mdev, static one => Assert.Equal(FindingLevel.Ok, one.Level));
        Assert.Equal(["vfio", "mdev"], mdev.Select(static one => one.Check));
    }

    [Fact]
    public void Device_that_can_be_used_is_told_with_the_uri_that_uses_it()
    {
        AddUacce("hisi_hpre-0");
        Finding finding = Assert.Single(Uacce());
        Assert.Equal(("hisi_hpre-0", FindingLevel.Ok), (finding.Subject, finding.Level));
        Assert.Equal("hisi_qm_v2, rsa dh, 200 queues free, shares the process's addresses (SVA), memory node 1; usable as uacce:hisi_hpre-0", finding.Seen);
        Assert.Equal(
            ("hisi_qm_v2", 200, false, true, 1),
            (finding.Values["api"], finding.Values["availableInstances"], finding.Values["isolated"], finding.Values["sva"], finding.Values["numaNode"]));
    }

    [Theory]
    [InlineData("algorithms", "zlib gzip\n", "Ok", "not for WarpProxy: Device hisi_hpre-0 computes zlib gzip; rsa is needed", null)]
    [InlineData("api", "hisi_sva\n", "Ok", "not for WarpProxy: Device hisi_hpre-0 has the API 'hisi_sva'; hisi_qm_v1 or a later version is needed", null)]
    [InlineData("isolate", "1\n", "Warning", "Device hisi_hpre-0 is isolated", "hardware errors")]
    [InlineData("available_instances", "0\n", "Warning", "Device hisi_hpre-0 has no free queue", "which processes have its queues")]
    [InlineData("flags", "0\n", "Ok", "without SVA", null)]
    [InlineData("device/numa_node", "-1\n", "Ok", "memory node unknown", null)]
    public void Reason_why_a_device_is_not_usable_is_told(string attribute, string value, string level, string seen, string? advice)
    {
        AddUacce("hisi_hpre-0");
        Write(_tree.Sys($"class/uacce/hisi_hpre-0/{attribute}"), value);
        Finding finding = Assert.Single(Uacce());
        Assert.Equal(level, finding.Level.ToString());
        Assert.Contains(seen, finding.Seen, StringComparison.Ordinal);
        Assert.Equal(advice is null, finding.Advice is null);
        Assert.Contains(advice ?? "", finding.Advice ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Device_without_its_file_is_a_failure_that_says_how_containers_get_it()
    {
        AddUacce("hisi_hpre-0");
        string path = _tree.Dev("hisi_hpre-0");
        File.Delete(path);
        Finding finding = Assert.Single(Uacce());
        Assert.Equal(FindingLevel.Failed, finding.Level);
        Assert.EndsWith($"but {path} does not exist", finding.Seen, StringComparison.Ordinal);
        Assert.StartsWith($"docker: --device {path};", finding.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_this_user_may_not_open_is_a_failure()
    {
        AddUacce("hisi_hpre-0");
        string path = _tree.Dev("hisi_hpre-0");
        File.SetUnixFileMode(path, UnixFileMode.None);
        Finding finding = Assert.Single(Uacce());

        // Root may open whatever it likes.
        Assert.Equal(Environment.IsPrivilegedProcess ? FindingLevel.Ok : FindingLevel.Failed, finding.Level);
    }

    [Fact]
    public void Kind_of_mediated_device_is_told_with_how_to_make_one_and_what_vfio_lacks()
    {
        string type = _tree.Sys("class/mdev_bus/0000:79:00.0/mdev_supported_types/hisi_hpre-rsa");
        Write($"{type}/device_api", "hisi_qm_v1\n");
        Write($"{type}/available_instances", "16\n");
        Finding[] findings = Mdev();
        Assert.Equal([("vfio", FindingLevel.Warning), ("mdev", FindingLevel.Ok)], findings.Select(static one => (one.Check, one.Level)));
        Assert.StartsWith("0 IOMMU groups in ", findings[0].Seen, StringComparison.Ordinal);
        Assert.Equal("0000:79:00.0/hisi_hpre-rsa", findings[1].Subject);
        Assert.Equal("hisi_qm_v1, 16 more can be made", findings[1].Seen);
        Assert.Equal($"To make one: uuidgen > {type}/create", findings[1].Advice);
    }

    [Fact]
    public void Mediated_device_without_a_group_is_told()
    {
        Write(_tree.Sys($"bus/mdev/devices/{Uuid}/mdev_type/device_api"), "vfio-pci\n");
        Directory.CreateDirectory(_tree.Sys("kernel/iommu_groups/7"));
        Finding[] findings = Mdev();
        Assert.Contains($"{_tree.Dev("vfio/vfio")} does not exist", findings[0].Seen, StringComparison.Ordinal);
        Assert.StartsWith("modprobe vfio", findings[0].Advice, StringComparison.Ordinal);
        Assert.Equal((Uuid, FindingLevel.Warning), (findings[1].Subject, findings[1].Level));
        Assert.Contains("has no IOMMU group", findings[1].Seen, StringComparison.Ordinal);
    }

    private Finding[] Uacce() => [.. new UacceCheck(_tree).Run()];

    private Finding[] Mdev() => [.. new MdevCheck(_tree).Run()];

    private void AddUacce(string name)
    {
        string device = _tree.Sys($"class/uacce/{name}");
        Write($"{device}/api", "hisi_qm_v2\n");
        Write($"{device}/flags", "1\n");
        Write($"{device}/algorithms", "rsa\ndh\n");
        Write($"{device}/available_instances", "200\n");
        Write($"{device}/region_mmio_size", "8192\n");
        Write($"{device}/region_dus_size", "86016\n");
        Write($"{device}/isolate", "0\n");
        Write($"{device}/device/numa_node", "1\n");
        Write(_tree.Dev(name), "");
    }

    private static void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
