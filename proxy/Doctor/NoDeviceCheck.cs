namespace WarpProxy.Doctor;

/// <summary>Stands for devices where the configuration has none.</summary>
internal sealed class NoDeviceCheck : ICheck
{
    /// <inheritdoc/>
    public string Name => "device";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run() => [Finding.Ok(Name, null, "the configuration uses none: software computes all private-key operations")];
}
