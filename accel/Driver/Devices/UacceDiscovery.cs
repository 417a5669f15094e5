using System.Globalization;
using WarpDrive.Abi.Uacce;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>Finds the accelerators that the kernel offers to processes. Source: Linux Documentation/ABI/testing/sysfs-driver-uacce.</summary>
/// <param name="tree">Where /dev and /sys are.</param>
public sealed class UacceDiscovery(DeviceTree tree)
{
    private const string ClassDirectory = "class/uacce";

    /// <summary>Where /dev and /sys are.</summary>
    public DeviceTree Tree => tree;

    /// <summary>All devices, usable or not, by name; none where the kernel has no such class.</summary>
    public IReadOnlyList<UacceListing> List() => [.. tree.List(ClassDirectory).Select(Find).OfType<UacceListing>()];

    /// <summary>One device; null when there is none of this name.</summary>
    public UacceListing? Find(string name) => !Directory.Exists(tree.Sys($"{ClassDirectory}/{name}")) ? null : new UacceListing(
        name,
        Read(name, "api"),
        (UacceFlags)(ReadNumber(name, "flags") ?? 0),
        (Read(name, "algorithms") ?? "").Split((char[])['\n', ' '], StringSplitOptions.RemoveEmptyEntries),
        ReadNumber(name, "available_instances"),
        ReadNumber(name, "region_mmio_size") ?? 0,
        ReadNumber(name, "region_dus_size") ?? 0,
        IsIsolated(name),
        ReadNumber(name, "device/numa_node") ?? -1);

    /// <summary>Whether the kernel took a device out of use; null when it does not say.</summary>
    public bool? IsIsolated(string name) => ReadNumber(name, "isolate") is { } value ? value != 0 : null;

    /// <summary>The file that opens a queue.</summary>
    public string PathOf(string name) => tree.Dev(name);

    /// <summary>
    /// The devices that can be used, the best first: near memory before far, then many free queues before few. Those that are isolated or taken are left out.
    /// </summary>
    /// <param name="processors">On which this process may run.</param>
    public IReadOnlyList<UacceListing> Rank(IReadOnlyCollection<int> processors)
    {
        var nodes = NumaNodes.Read(tree);
        return
        [
            .. List().Where(static device => device.IsUsable)
                .OrderBy(device => nodes.DistanceOf(device.NumaNode, processors))
                .ThenByDescending(static device => device.AvailableInstances ?? 0)
                .ThenBy(static device => device.Name, StringComparer.Ordinal),
        ];
    }

    private string? Read(string name, string attribute) => tree.TryRead($"{ClassDirectory}/{name}/{attribute}");

    private int? ReadNumber(string name, string attribute) =>
        int.TryParse(Read(name, attribute), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) ? value : null;
}
