using System.Globalization;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>A kind of mediated device that a device of this machine offers to be parted into.</summary>
/// <param name="Parent">The device.</param>
/// <param name="Name">Its driver and the kind: <c>hisi_hpre-rsa</c>. A UUID that is written to its <c>create</c> makes one.</param>
/// <param name="DeviceApi">What would be behind it; empty when that cannot be read.</param>
/// <param name="AvailableInstances">How many more there can be; of WarpDrive's first form, how many queues are left. Null when that cannot be read.</param>
/// <param name="Obstacle">Why one of it could not be used, in one sentence; null: nothing is known to be missing.</param>
public sealed record MdevType(string Parent, string Name, string DeviceApi, int? AvailableInstances, string? Obstacle);

/// <summary>Looks for mediated devices, and for what they could be made of.</summary>
public static class MdevDiscovery
{
    private const string Parents = "class/mdev_bus";
    private const string Types = "mdev_supported_types";

    /// <summary>Every mediated device, usable or with what is missing.</summary>
    public static IReadOnlyList<MdevDescription> FindDevices(DeviceTree tree)
    {
        ArgumentNullException.ThrowIfNull(tree);
        return [.. tree.List(MdevDescription.Devices).Select(uuid => MdevDescription.Read(tree, uuid))];
    }

    /// <summary>Every kind of mediated device that a device of this machine offers, usable or with what is missing.</summary>
    public static IReadOnlyList<MdevType> FindTypes(DeviceTree tree)
    {
        ArgumentNullException.ThrowIfNull(tree);
        return [.. from parent in tree.List(Parents) from name in tree.List($"{Parents}/{parent}/{Types}") select ReadType(tree, parent, name)];
    }

    private static MdevType ReadType(DeviceTree tree, string parent, string name)
    {
        string directory = $"{Parents}/{parent}/{Types}/{name}";
        string api = tree.TryRead($"{directory}/device_api") ?? "";
        int? left = int.TryParse(tree.TryRead($"{directory}/available_instances"), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
        string? obstacle =
            MdevDescription.IsKnownApi(api) ? left switch
            {
                null => $"Type {name} of {parent} does not say how many are left: {tree.Sys($"{directory}/available_instances")} cannot be read.",
                0 => $"Type {name} of {parent} has no queue left; {tree.Sys($"{directory}/available_instances")} is 0.",
                _ => null,
            }
            : $"Type {name} of {parent} has the device_api '{api}'; {MdevDescription.KnownApis}.";
        return new MdevType(parent, name, api, left, obstacle);
    }
}
