using System.Globalization;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpProxy.Doctor;

/// <summary>Mediated devices of this machine, what more could be made, and what VFIO needs for them.</summary>
internal sealed class MdevCheck(DeviceTree tree) : ICheck
{
    private const string Vfio = "vfio";

    /// <inheritdoc/>
    public string Name => "mdev";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        IReadOnlyList<MdevType> types = MdevDiscovery.FindTypes(tree);
        IReadOnlyList<MdevDescription> devices = MdevDiscovery.FindDevices(tree);
        int groups = tree.List("kernel/iommu_groups").Count;
        bool isVfio = File.Exists(tree.Dev("vfio/vfio"));
        string seen = string.Create(
            CultureInfo.InvariantCulture,
            $"{groups} IOMMU group{(groups == 1 ? "" : "s")} in {tree.Sys("kernel/iommu_groups")}; {tree.Dev("vfio/vfio")} {(isVfio ? "is there" : "does not exist")}");
        Finding vfio = types.Count + devices.Count == 0 ? Finding.Ok(Vfio, null, $"{seen}; no device of this machine needs them")
            : groups == 0 ? Finding.Warning(Vfio, null, seen, "Mediated devices need an IOMMU (input/output memory management unit): switch it on in the firmware, or by a kernel option such as intel_iommu=on")
            : !isVfio ? Finding.Warning(Vfio, null, seen, "modprobe vfio vfio_iommu_type1; docker: --device /dev/vfio/vfio")
            : Finding.Ok(Vfio, null, seen);
        yield return vfio with { Values = new Dictionary<string, object?> { ["iommuGroups"] = groups, ["container"] = isVfio } };
        if (types.Count + devices.Count == 0)
        {
            yield return Finding.Ok(Name, null, $"this machine has no mediated device, and no device that could be parted: {tree.Sys("class/mdev_bus")} is empty or does not exist");
        }

        foreach (MdevType type in types)
        {
            yield return Examine(type);
        }

        foreach (MdevDescription device in devices)
        {
            string what = $"{device.Type} of {device.Parent}, {device.DeviceApi}, IOMMU group {device.Group}";
            yield return (device.Obstacle is { } obstacle
                ? Finding.Warning(Name, device.Uuid, obstacle.TrimEnd('.'), null)
                : Finding.Ok(Name, device.Uuid, $"{what}; usable as {device.Uri}")) with
            {
                Values = new Dictionary<string, object?> { ["parent"] = device.Parent, ["type"] = device.Type, ["deviceApi"] = device.DeviceApi, ["group"] = device.Group },
            };
        }
    }

    private Finding Examine(MdevType type)
    {
        string subject = $"{type.Parent}/{type.Name}";
        string create = tree.Sys($"class/mdev_bus/{type.Parent}/mdev_supported_types/{type.Name}/create");
        return (type.Obstacle is { } obstacle
            ? Finding.Ok(Name, subject, $"cannot be used: {obstacle.TrimEnd('.')}")
            : Finding.Ok(Name, subject, string.Create(CultureInfo.InvariantCulture, $"{type.DeviceApi}, {type.AvailableInstances} more can be made")) with { Advice = $"To make one: uuidgen > {create}" }) with
        {
            Values = new Dictionary<string, object?> { ["deviceApi"] = type.DeviceApi, ["availableInstances"] = type.AvailableInstances },
        };
    }
}
