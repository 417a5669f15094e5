namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>What /sys has of mediated devices.</summary>
internal sealed class FakeMdevTree(FakeKernel kernel)
{
    /// <summary>A kind of device that a parent offers.</summary>
    public void AddType(string parent, string type, string deviceApi, string instances = "16")
    {
        string directory = $"devices/pci0000:74/{parent}/mdev_supported_types/{type}";
        kernel.WriteSys($"{directory}/device_api", deviceApi);
        kernel.WriteSys($"{directory}/available_instances", instances);
        kernel.WriteSys($"{directory}/name", type);
        Link($"class/mdev_bus/{parent}", $"../../devices/pci0000:74/{parent}");
    }

    /// <summary>What WarpDrive's first form says of a parent.</summary>
    public void AddSpimdev(string parent, string iommuType = "1", string dmaFlag = "1")
    {
        string directory = $"devices/pci0000:74/{parent}/params";
        kernel.WriteSys($"{directory}/iommu_type", iommuType);
        kernel.WriteSys($"{directory}/dma_flag", dmaFlag);
        Link($"devices/pci0000:74/{parent}/spimdev/{parent}/device", $"../../../{parent}");
        Link($"class/spimdev/{parent}", $"../../devices/pci0000:74/{parent}/spimdev/{parent}");
    }

    /// <summary>A mediated device; without a group when there is no IOMMU.</summary>
    public void AddDevice(string parent, string type, string uuid, string? group)
    {
        string directory = $"devices/pci0000:74/{parent}/{uuid}";
        Directory.CreateDirectory(kernel.Tree.Sys(directory));
        Link($"{directory}/mdev_type", $"../mdev_supported_types/{type}");
        Link($"bus/mdev/devices/{uuid}", $"../../../devices/pci0000:74/{parent}/{uuid}");
        if (group is not null)
        {
            Directory.CreateDirectory(kernel.Tree.Sys($"kernel/iommu_groups/{group}"));
            Link($"{directory}/iommu_group", $"../../../../kernel/iommu_groups/{group}");
        }
    }

    private void Link(string name, string target)
    {
        string path = kernel.Tree.Sys(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!Path.Exists(path))
        {
            File.CreateSymbolicLink(path, target);
        }
    }
}
