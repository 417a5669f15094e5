using System.Globalization;
using WarpDrive.Engines;
using WarpProxy.Offload;

namespace WarpProxy.Doctor;

/// <summary>What would compute in the embedded device, by key size, and why.</summary>
internal sealed class EngineCheck(OffloadOptions offload) : ICheck
{
    /// <inheritdoc/>
    public string Name => "engine";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        if (offload.ParseDevices().All(static device => device.Kind != DeviceKind.Embedded))
        {
            yield break;
        }

        var choice = EngineChoice.Make(offload.Engine);
        if (choice.Failure is { } failure)
        {
            yield return Finding.Failed(
                Name, null, $"the SIMD engine is out of service: {failure.TrimEnd('.')}", "It gave a wrong answer on this processor: report it; until then everything is computed by OpenSSL");
        }

        foreach (SizeChoice size in choice.Sizes)
        {
            yield return Finding.Ok(Name, null, string.Create(CultureInfo.InvariantCulture, $"RSA-{size.Bits}: {size.Reason}; {choice.Source}")) with
            {
                Values = new Dictionary<string, object?> { ["bits"] = size.Bits, ["engine"] = size.Engine },
            };
        }
    }
}
