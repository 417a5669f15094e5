using WarpProxy.Configuration;

namespace WarpProxy.Offload;

/// <summary>Which way the operations of keys go with one configuration.</summary>
/// <param name="Default">Of keys for which no other is configured.</param>
/// <param name="HasDevices">Whether there is any device to open: if not, every key stays in software.</param>
internal sealed record OffloadPlan(OffloadPath Default, bool HasDevices)
{
    /// <summary>What computes when no device does, with keys for which nothing else is configured.</summary>
    public OffloadFallback DefaultFallback { get; init; }

    /// <summary>Whether keys are kept out of memory that is not locked.</summary>
    public bool RequiresLockedMemory { get; init; }

    /// <summary>That of a configuration.</summary>
    public static OffloadPlan Of(ProxyOptions options) => Of(options.Offload, options.UsesDevices && options.Offload.ParseDevices().Count > 0);

    /// <summary>That of a section, where it is known whether there is any device to open.</summary>
    public static OffloadPlan Of(OffloadOptions options, bool hasDevices) =>
        new(options.Path, hasDevices) { DefaultFallback = options.Fallback, RequiresLockedMemory = options.RequireLockedMemory };

    /// <summary>The way of a key.</summary>
    /// <param name="configured">Null for the default.</param>
    public OffloadPath Resolve(OffloadPath? configured) => HasDevices ? configured ?? Default : OffloadPath.Software;
}
