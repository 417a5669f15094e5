using WarpDrive.Abi.Uacce;

namespace WarpDrive.Driver.Devices;

/// <summary>A device as /sys/class/uacce shows it at one moment.</summary>
/// <param name="Name">Of the directory there and of the file in /dev: <c>hisi_hpre-0</c>.</param>
/// <param name="ApiName">The attribute <c>api</c>; null when there is none.</param>
/// <param name="Flags">The attribute <c>flags</c>.</param>
/// <param name="Algorithms">The attribute <c>algorithms</c>.</param>
/// <param name="AvailableInstances">Queues that are free; null when its driver does not say.</param>
/// <param name="MmioBytes">Length of the region of doorbells; 0 when there is none.</param>
/// <param name="DusBytes">Length of the region of rings; 0 when there is none.</param>
/// <param name="IsIsolated">Whether the kernel took it out of use; null when this kernel never does.</param>
/// <param name="NumaNode">The memory node it is next to; -1 when unknown.</param>
public sealed record UacceListing(
    string Name,
    string? ApiName,
    UacceFlags Flags,
    IReadOnlyList<string> Algorithms,
    int? AvailableInstances,
    int MmioBytes,
    int DusBytes,
    bool? IsIsolated,
    int NumaNode)
{
    /// <summary>Version of the queue manager; only of a device that is no <see cref="Misfit"/>.</summary>
    public QueueManagerApi Api => QueueManagerApi.TryParse(ApiName, out QueueManagerApi api) ? api : default;

    /// <summary>Whether a queue can be opened now.</summary>
    public bool IsUsable => Obstacle is null;

    /// <summary>Why it can never be used, as a sentence; null: it can.</summary>
    public string? Misfit
    {
        get
        {
            if (!QueueManagerApi.TryParse(ApiName, out QueueManagerApi api))
            {
                return $"Device {Name} has the API '{ApiName ?? "(none)"}'; hisi_qm_v1 or a later version is needed.";
            }

            if (!Algorithms.Contains("rsa", StringComparer.Ordinal))
            {
                return $"Device {Name} computes {(Algorithms.Count == 0 ? "nothing" : string.Join(' ', Algorithms))}; rsa is needed.";
            }

            int leastMmio = api.DoorbellOffset + sizeof(ulong);
            int leastDus = UserShareRegion.LeastBytes(UacceDevice.UsualDepth);
            return MmioBytes < leastMmio ? $"Device {Name} has {MmioBytes} bytes of doorbells (region_mmio_size); at least {leastMmio} are needed."
                : DusBytes < leastDus ? $"Device {Name} has {DusBytes} bytes of rings (region_dus_size); at least {leastDus} are needed."
                : null;
        }
    }

    /// <summary>Why no queue can be opened now, as a sentence; null: one can.</summary>
    public string? Obstacle => Misfit
        ?? (IsIsolated == true ? $"Device {Name} is isolated: the kernel met too many hardware errors (isolate is 1)."
        : AvailableInstances == 0 ? $"Device {Name} has no free queue (available_instances is 0)."
        : null);
}
