using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>Mediated devices that are named in a configuration and reached through VFIO.</summary>
public static class MdevEndpoint
{
    // VFIO opens a group once for the whole process: endpoints of one device that follow each other, as configurations do, share what is open.
    private static readonly ConditionalWeakTable<IDeviceCalls, ConcurrentDictionary<(DeviceTree Tree, string Uuid), MdevDevice>> Opened = [];

    /// <summary>A mediated device. That it is not there, or what it needs is missing, is no error yet.</summary>
    /// <param name="uri"><c>mdev:</c> and its UUID.</param>
    /// <param name="tree">Where /dev and /sys are.</param>
    /// <param name="calls">The kernel.</param>
    /// <exception cref="AcceleratorException">That is no UUID; or there is such a device, but it is none that this driver knows.</exception>
    public static DeviceEndpoint Create(string uri, DeviceTree tree, IDeviceCalls calls)
    {
        ArgumentNullException.ThrowIfNull(uri);
        string name = uri.StartsWith(MdevDescription.Scheme, StringComparison.Ordinal) ? uri[MdevDescription.Scheme.Length..] : "";
        if (!MdevDescription.TryParseUuid(name, out string uuid))
        {
            throw new AcceleratorException(
                $"The device is '{uri}'; a mediated device is {MdevDescription.Scheme} and its UUID, 8-4-4-4-12 hexadecimal digits.");
        }

        MdevDescription description = MdevDescription.Read(tree, uuid);
        if (description.IsOfUnknownKind)
        {
            throw new AcceleratorException(description.Obstacle!);
        }

        MdevDevice device = Opened.GetOrCreateValue(calls).GetOrAdd((tree, uuid), key => new MdevDevice(calls, key.Tree, key.Uuid));
        return new DeviceEndpoint(uri, device.OpenQueue);
    }
}
