using System.Runtime.ExceptionServices;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>Accelerators that are named in a configuration and reached through UACCE.</summary>
public static class UacceEndpoint
{
    /// <summary>The scheme; what follows is the name of a device, or <see cref="Auto"/>.</summary>
    public const string Scheme = "uacce:";

    /// <summary>Instead of a name: for each queue the best device that has one left.</summary>
    public const string Auto = "auto";

    /// <summary>A device, or any. That it is not there, or isolated, is no error yet.</summary>
    /// <param name="uri"><c>uacce:hisi_hpre-0</c> or <c>uacce:auto</c>.</param>
    /// <param name="tree">Where /dev and /sys are.</param>
    /// <param name="calls">The kernel.</param>
    /// <exception cref="AcceleratorException">There is such a device, but it is none that computes RSA, or of another make.</exception>
    public static DeviceEndpoint Create(string uri, DeviceTree tree, IDeviceCalls calls)
    {
        ArgumentNullException.ThrowIfNull(uri);
        string name = uri.StartsWith(Scheme, StringComparison.Ordinal) ? uri[Scheme.Length..] : "";
        if (name.Length == 0 || name.Contains('/', StringComparison.Ordinal) || name[0] == '.')
        {
            throw new AcceleratorException($"The device is '{uri}'; a device of UACCE is {Scheme} and the name of a file in /dev, or {Scheme}{Auto}.");
        }

        var discovery = new UacceDiscovery(tree);
        if (name == Auto)
        {
            return new DeviceEndpoint(uri, _ => OpenBest(discovery, calls));
        }

        return discovery.Find(name)?.Misfit is { } misfit
            ? throw new AcceleratorException(misfit)
            : new DeviceEndpoint(uri, _ => OpenNamed(discovery, name, calls));
    }

    private static UacceDevice OpenNamed(UacceDiscovery discovery, string name, IDeviceCalls calls)
    {
        UacceListing listing = discovery.Find(name)
            ?? throw new LinuxException("open", $"{discovery.PathOf(name)}, which has no {discovery.Tree.Sys("class/uacce")}/{name}", Errno.ENODEV);
        return listing.Misfit is { } misfit ? throw new AcceleratorException(misfit)
            : listing.IsIsolated == true ? throw new DeviceIsolatedException(listing.Obstacle!)
            : UacceDevice.Open(discovery, listing, calls);
    }

    private static UacceDevice OpenBest(UacceDiscovery discovery, IDeviceCalls calls)
    {
        Exception? refusal = null;
        foreach (UacceListing listing in discovery.Rank(CpuAffinity.Current))
        {
            try
            {
                return UacceDevice.Open(discovery, listing, calls);
            }
            catch (Exception e) when (e is LinuxException or AcceleratorException)
            {
                // Others may have taken its last queue meanwhile.
                refusal ??= e;
            }
        }

        if (refusal is not null)
        {
            ExceptionDispatchInfo.Throw(refusal);
        }

        IReadOnlyList<UacceListing> devices = discovery.List();
        throw devices.Any(static device => device.IsIsolated == true) && devices.All(static device => device.IsIsolated == true || device.Misfit is not null)
            ? new DeviceIsolatedException(devices.First(static device => device.IsIsolated == true).Obstacle!)
            : new LinuxException("open", $"any device of {discovery.Tree.Sys("class/uacce")}; {Describe(devices)}", devices.Count == 0 ? Errno.ENODEV : Errno.EBUSY);
    }

    private static string Describe(IReadOnlyList<UacceListing> devices) =>
        devices.Count == 0 ? "there is none" : string.Join(' ', devices.Select(static device => device.Obstacle));
}
