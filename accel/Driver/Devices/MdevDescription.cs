using System.Globalization;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>A mediated device (mdev) as its attributes describe it: a part of a device that is reached through VFIO.</summary>
/// <param name="Uuid">Its name, in small letters.</param>
/// <param name="Parent">The device that it is a part of; empty when that cannot be told.</param>
/// <param name="Type">What kind of part, of those that the parent offers; empty when that cannot be told.</param>
/// <param name="DeviceApi">What is behind it: <c>hisi_qm_v1</c>, <c>vfio-platform</c>; empty when that cannot be told.</param>
/// <param name="Group">Its IOMMU group, whose file in /dev/vfio has this name; empty when it has none.</param>
/// <param name="IommuType">What translates its addresses; null: whatever the kernel has.</param>
/// <param name="DmaFlag">How it reaches memory; null: as every VFIO device.</param>
/// <param name="Obstacle">Why it cannot be used, in one sentence; null: nothing is known to be missing.</param>
public sealed record MdevDescription(
    string Uuid, string Parent, string Type, string DeviceApi, string Group, VfioIommuType? IommuType, SpimdevDma? DmaFlag, string? Obstacle)
{
    /// <summary>The scheme of mediated devices.</summary>
    public const string Scheme = "mdev:";

    /// <summary>Directory of all mediated devices, below /sys.</summary>
    internal const string Devices = "bus/mdev/devices";

    /// <summary>Which <see cref="DeviceApi"/> this driver can use, to end a sentence.</summary>
    internal const string KnownApis =
        "it must be " + Spimdev.DeviceApi + "1, " + Spimdev.DeviceApi + "2, or " + PlatformApi + " or " + PciApi + " with the regions of accel/README.md";

    private const string PlatformApi = "vfio-platform";
    private const string PciApi = "vfio-pci";

    /// <summary>As configured.</summary>
    public string Uri => Scheme + Uuid;

    /// <summary>Whether it is of WarpDrive's first form: queues of HiSilicon's queue manager, which an own request opens.</summary>
    public bool IsSpimdev => DeviceApi.StartsWith(Spimdev.DeviceApi, StringComparison.Ordinal);

    /// <summary>Whether what is behind it is something that this driver does not know, which no attribute more would change.</summary>
    internal bool IsOfUnknownKind =>
        DeviceApi.Length > 0 && (!IsKnownApi(DeviceApi) || (IsSpimdev && (!IsRsa(Type) || (DmaFlag is { } flag && (flag & SpimdevDma.SingleProcess) == 0))));

    /// <summary>The name of a mediated device as the kernel writes it: 8-4-4-4-12 hexadecimal digits in small letters. False: it is no such name.</summary>
    public static bool TryParseUuid(string text, out string uuid)
    {
        bool isUuid = Guid.TryParseExact(text, "D", out Guid value);
        uuid = isUuid ? value.ToString("D") : "";
        return isUuid;
    }

    /// <summary>Whether this driver can use what is behind such a <see cref="DeviceApi"/>.</summary>
    internal static bool IsKnownApi(string api) => api is Spimdev.DeviceApi + "1" or Spimdev.DeviceApi + "2" or PlatformApi or PciApi;

    /// <summary>Reads the attributes of one.</summary>
    /// <param name="tree">Where they are.</param>
    /// <param name="uuid">Its name in small letters.</param>
    public static MdevDescription Read(DeviceTree tree, string uuid)
    {
        ArgumentNullException.ThrowIfNull(tree);
        string directory = $"{Devices}/{uuid}";
        if (!Directory.Exists(tree.Sys(directory)))
        {
            return new MdevDescription(uuid, "", "", "", "", null, null, $"There is no mediated device {uuid}: {tree.Sys(directory)} does not exist; create it (docs/devices.md).");
        }

        // Names only, out of the links' texts: where they lead differs from kernel to kernel.
        string parent = NthLast(new DirectoryInfo(tree.Sys(directory)).LinkTarget, 2);
        string type = NthLast(new DirectoryInfo(tree.Sys($"{directory}/mdev_type")).LinkTarget, 1);
        string group = NthLast(new DirectoryInfo(tree.Sys($"{directory}/iommu_group")).LinkTarget, 1);
        string api = tree.TryRead($"{directory}/mdev_type/device_api") ?? "";
        var description = new MdevDescription(uuid, parent, type, api, group, null, null, null);
        if (description.IsSpimdev)
        {
            string attributes = $"class/spimdev/{parent}/device/params";
            description = description with
            {
                IommuType = (VfioIommuType?)ReadNumber(tree, $"{attributes}/iommu_type"),
                DmaFlag = (SpimdevDma?)ReadNumber(tree, $"{attributes}/dma_flag"),
            };
        }

        return description with { Obstacle = description.FindObstacle(tree) };
    }

    /// <summary>HiSilicon's accelerators for other algorithms have the same queue manager.</summary>
    private static bool IsRsa(string type) =>
        type.Contains("hpre", StringComparison.OrdinalIgnoreCase) || type.Contains("rsa", StringComparison.OrdinalIgnoreCase);

    private static long? ReadNumber(DeviceTree tree, string attribute) =>
        long.TryParse(tree.TryRead(attribute), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    /// <summary>Of a path's parts, the <paramref name="n"/>th from the end; empty when there are not so many.</summary>
    private static string NthLast(string? path, int n)
    {
        string[] parts = path?.Split('/', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return parts.Length < n || parts[^n] is ".." ? "" : parts[^n];
    }

    private string? FindObstacle(DeviceTree tree)
    {
        if (DeviceApi.Length == 0)
        {
            return $"Mediated device {Uuid} does not say what it is: {tree.Sys($"{Devices}/{Uuid}/mdev_type/device_api")} cannot be read.";
        }

        if (!IsKnownApi(DeviceApi))
        {
            return $"Mediated device {Uuid} has the device_api '{DeviceApi}'; {KnownApis}.";
        }

        if (IsSpimdev && !IsRsa(Type))
        {
            return $"Mediated device {Uuid} is of type '{Type}'; of HiSilicon's devices it must be one for RSA, with hpre or rsa in its type's name.";
        }

        if (Group.Length == 0)
        {
            return $"Mediated device {Uuid} has no IOMMU group: {tree.Sys($"{Devices}/{Uuid}/iommu_group")} does not exist; switch the machine's IOMMU on (firmware, kernel option intel_iommu=on or iommu.passthrough=0).";
        }

        if (IsSpimdev && (IommuType is null || DmaFlag is null))
        {
            return $"Mediated device {Uuid} does not say how it reaches memory: iommu_type and dma_flag in {tree.Sys($"class/spimdev/{Parent}/device/params")} must be numbers.";
        }

        if (IsSpimdev && (DmaFlag & SpimdevDma.SingleProcess) == 0)
        {
            return $"Mediated device {Uuid} has the dma_flag {(int)DmaFlag!}; it must have bit 0, memory that one process maps for it.";
        }

        return new[] { tree.Dev("vfio/vfio"), tree.Dev($"vfio/{Group}") }.FirstOrDefault(static path => !File.Exists(path)) is { } path ? VfioFile.Missing(path) : null;
    }
}
