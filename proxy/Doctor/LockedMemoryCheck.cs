using System.Globalization;
using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpProxy.Offload;

namespace WarpProxy.Doctor;

/// <summary>Whether this process may lock as much memory as the keys of the configuration need.</summary>
internal sealed class LockedMemoryCheck(ExaminedConfiguration configuration) : ICheck
{
    private const int DevelopmentKeyBytes = 256;

    /// <inheritdoc/>
    public string Name => "memlock";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        int[] moduli = configuration.Options.Certificates.Count == 0
            ? [DevelopmentKeyBytes]
            : [.. configuration.Certificates.Select(static one => one.Certificate).Where(static one => one?.KeyType == PrivateKeyType.Rsa).Select(static one => one!.KeyBits / 8)];
        long needed = LockedMemory.ComputeNeed(configuration.Options, moduli);
        var limit = LockedMemoryLimit.Read();
        string allowed = limit.Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes may be locked") : "any amount may be locked";
        string seen = string.Create(CultureInfo.InvariantCulture, $"{allowed}; {moduli.Length} RSA key{(moduli.Length == 1 ? "" : "s")}, lanes and queues need {needed} bytes");
        string advice = $"Keys may reach swap; allow as much: {LockedMemoryLimit.HowToAllow(needed)}";
        Finding finding = limit.Allows(needed) ? Finding.Ok(Name, null, seen)
            : configuration.Options.Offload.RequireLockedMemory ? Finding.Failed(Name, null, $"{seen}, and Offload:RequireLockedMemory is true", advice)
            : Finding.Warning(Name, null, seen, advice);
        yield return finding with { Values = new Dictionary<string, object?> { ["limitBytes"] = limit.Bytes, ["neededBytes"] = needed } };
    }
}
