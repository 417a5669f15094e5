using System.Globalization;
using WarpDrive.Linux;

namespace WarpDrive.Emulator.Server;

/// <summary>Whether the memory of engines and clients, in which there are private keys, may be locked.</summary>
internal static class LockedMemory
{
    /// <summary>What a queue of 16 entries maps, with its room for keys: what warpproxy asks for.</summary>
    private const long QueueBytes = (16 + 256) * 1024;

    /// <summary>Looks at the limit of now.</summary>
    /// <returns>A sentence; null when there is enough for all queues.</returns>
    public static string? FindShortage(EmulatorOptions options) => FindShortage(options, LockedMemoryLimit.Read());

    /// <summary>As above, of any limit.</summary>
    internal static string? FindShortage(EmulatorOptions options, LockedMemoryLimit limit)
    {
        long engines = options.EngineCount * EmulatedAccelerator.LockedBytesPerEngine;
        long needed = engines + (options.MaxQueues * QueueBytes);
        if (limit.Bytes is not { } bytes || limit.Allows(needed))
        {
            return null;
        }

        long queues = Math.Max(0, bytes - engines) / QueueBytes;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Locked memory is limited to {bytes} bytes, enough for {queues} of {options.MaxQueues} queues; keys of other clients may reach swap, unless as much as {needed} is allowed: {LockedMemoryLimit.HowToAllow(needed)}.");
    }
}
