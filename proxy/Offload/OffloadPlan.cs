using WarpProxy.Configuration;

namespace WarpProxy.Offload;

/// <summary>Which way the operations of keys go with one configuration.</summary>
/// <param name="Default">Of keys for which no other is configured.</param>
/// <param name="HasDevices">Whether there is any device to open: if not, every key stays in software.</param>
internal sealed record OffloadPlan(OffloadPath Default, bool HasDevices)
{
    /// <summary>That of a configuration.</summary>
    public static OffloadPlan Of(ProxyOptions options) => new(options.Offload.Path, options.UsesDevices && options.Offload.ParseDevices().Count > 0);

    /// <summary>The way of a key.</summary>
    /// <param name="configured">Null for the default.</param>
    public OffloadPath Resolve(OffloadPath? configured) => HasDevices ? configured ?? Default : OffloadPath.Software;
}
