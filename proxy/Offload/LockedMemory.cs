using System.Globalization;
using WarpDrive.Driver;
using WarpDrive.Emulator;
using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpProxy.Certificates;
using WarpProxy.Configuration;

namespace WarpProxy.Offload;

/// <summary>How much memory the keys of a configuration need locked, and whether so much may be.</summary>
internal static class LockedMemory
{
    // A page for each set of ticket keys, and what is locked while keys are read.
    private const long OtherBytes = 512 * 1024;

    /// <summary>Looks at the limit of now.</summary>
    /// <param name="options">All settings.</param>
    /// <param name="certificates">Those that are loaded.</param>
    /// <returns>A sentence; null when there is enough.</returns>
    public static string? FindShortage(ProxyOptions options, IEnumerable<ServerCertificate> certificates) =>
        FindShortage(ComputeNeed(options, [.. certificates.Where(static one => one.KeyType == PrivateKeyType.Rsa).Select(static one => one.KeyBits / 8)]), LockedMemoryLimit.Read());

    /// <summary>As above, of any need and limit.</summary>
    internal static string? FindShortage(long needed, LockedMemoryLimit limit) => limit.Allows(needed) ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"Locked memory is limited to {limit.Bytes} bytes, but keys need {needed} so that they never reach swap; allow as much: {LockedMemoryLimit.HowToAllow(needed)}.");

    /// <summary>Bytes that the proxy has locked when all its lanes are busy and all its keys in use.</summary>
    /// <param name="options">All settings.</param>
    /// <param name="moduli">Bytes of the modulus of each RSA key.</param>
    internal static long ComputeNeed(ProxyOptions options, IReadOnlyCollection<int> moduli)
    {
        // Of each key one for software, and one to be written into queues.
        OffloadOptions offload = options.Offload;
        long needed = OtherBytes + (2 * LockedBytes.OfKeys(moduli)) + (options.Tls.Lanes * SoftwareRsaKey.LockedBytesPerThread);
        foreach (DeviceUri device in options.UsesDevices ? offload.ParseDevices() : [])
        {
            needed += offload.QueuesPerDevice * LockedBytes.OfQueue(offload.Depth, moduli);
            if (device.Kind == DeviceKind.Embedded)
            {
                // In this process both sides map the memory of a queue, and each mapping counts.
                needed += (offload.QueuesPerDevice * LockedBytes.OfQueueOnDevice(offload.Depth))
                    + ((offload.Engines ?? OffloadOptions.DefaultEngines) * EmulatedAccelerator.LockedBytesPerEngine);
            }
        }

        return needed;
    }
}
