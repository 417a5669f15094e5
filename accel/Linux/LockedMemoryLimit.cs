using System.Globalization;

namespace WarpDrive.Linux;

/// <summary>How much memory this process may lock (RLIMIT_MEMLOCK).</summary>
/// <param name="Bytes">Null: as much as there is.</param>
public readonly record struct LockedMemoryLimit(long? Bytes)
{
    private const int CapIpcLock = 14;      // linux/capability.h
    private const string Capabilities = "CapEff:";
    private const string Locked = "VmLck:";

    /// <summary>The limit of now; there is none for a process with CAP_IPC_LOCK.</summary>
    /// <exception cref="LinuxException">The kernel does not say.</exception>
    public static LockedMemoryLimit Read()
    {
        if (HasCapability())
        {
            return new LockedMemoryLimit(null);
        }

        if (Libc.getrlimit(Libc.RLIMIT_MEMLOCK, out ResourceLimit limit) != 0)
        {
            throw new LinuxException("getrlimit", "RLIMIT_MEMLOCK");
        }

        // RLIM_INFINITY is the largest number.
        return new LockedMemoryLimit(limit.Current > long.MaxValue ? null : (long)limit.Current);
    }

    /// <summary>What this process has locked, devices' mappings included; in whole units of 1024 bytes, and 0 when the kernel does not say.</summary>
    public static long ReadLockedBytes()
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith(Locked, StringComparison.Ordinal))
            {
                string[] words = line[Locked.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                return words.Length > 0 && long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out long kibibytes) ? kibibytes * 1024 : 0;
            }
        }

        return 0;
    }

    /// <summary>Whether so much may be locked.</summary>
    public bool Allows(long bytes) => Bytes is null || bytes <= Bytes;

    /// <summary>How to allow so much, for people.</summary>
    public static string HowToAllow(long bytes) => string.Create(
        CultureInfo.InvariantCulture,
        $"ulimit -l {(bytes + 1023) / 1024}; systemd: LimitMEMLOCK={bytes}; docker: --ulimit memlock={bytes}; Kubernetes: LimitMEMLOCK={bytes} of the container runtime, or as root the capability IPC_LOCK");

    private static bool HasCapability()
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith(Capabilities, StringComparison.Ordinal))
            {
                return ulong.TryParse(line.AsSpan(Capabilities.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong set)
                    && (set >> CapIpcLock & 1) != 0;
            }
        }

        return false;
    }
}

/// <summary>struct rlimit.</summary>
internal struct ResourceLimit
{
    public ulong Current;
    public ulong Max;
}
