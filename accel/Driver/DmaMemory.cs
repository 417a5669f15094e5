using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// Memory of this process that devices reach: kept out of core files and forks, and locked as far as it is used. Several devices may have it mapped at once.
/// </summary>
public sealed class DmaMemory : IDisposable
{
    private readonly DmaAddresses? _addresses;
    private readonly Action<MappedMemory> _unmap = static memory => memory.Dispose();

    /// <summary>Takes memory that a device allocated, and that only it can reach by these addresses.</summary>
    /// <param name="memory">Owned by the result. The kernel never swaps it.</param>
    /// <param name="addresses">Where the device finds it, from the first byte on.</param>
    /// <param name="unmap">How it is given back.</param>
    internal DmaMemory(MappedMemory memory, DmaAddresses addresses, Action<MappedMemory> unmap)
    {
        Memory = memory;
        _addresses = addresses;
        _unmap = unmap;
    }

    private DmaMemory(FileDescriptor file, MappedMemory memory)
    {
        File = file;
        Memory = memory;
    }

    /// <summary>The memory as this process sees it: its <see cref="MappedMemory.Address"/> is what a device with the process's page tables uses.</summary>
    public MappedMemory Memory { get; }

    /// <summary>What to pass to a device in another process; null for memory that a device allocated.</summary>
    public FileDescriptor? File { get; }

    /// <summary>Where the device that allocated it finds it; null for memory of the host.</summary>
    internal DmaAddresses? DeviceAddresses => _addresses;

    /// <summary>Creates zeroed memory in a sealed file. Nothing is locked yet.</summary>
    /// <param name="name">Shown in /proc/PID/maps; need not be unique.</param>
    /// <param name="sizeBytes">Rounded up to whole pages.</param>
    /// <exception cref="LinuxException">No memory, no descriptor left, or no memfd on this system.</exception>
    public static DmaMemory Create(string name, int sizeBytes)
    {
        FileDescriptor file = SharedMemory.CreateFile(name, sizeBytes, out int length);
        try
        {
            return new DmaMemory(file, MappedMemory.MapUnlockedSecret(file, 0, length));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Locks a part that is about to be used. False: the limit of locked memory (ulimit -l) is too low.</summary>
    public bool TryLock(int offset, int sizeBytes) => _addresses is not null || Memory.TryLock(offset, sizeBytes);

    /// <summary>Unmaps. Whoever wrote a secret zeroes it first; devices that have it mapped must be gone before.</summary>
    public void Dispose()
    {
        _unmap(Memory);
        File?.Dispose();
    }
}
