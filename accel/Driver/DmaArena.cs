using System.Security.Cryptography;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// The memory that one queue pair shares with its device: a slot for each ring entry (input and output of one
/// operation), which the device may write, and key blocks, which it may only read. Locked, kept out of core files
/// and forks, zeroed when released. Used by whoever owns the queue pair.
/// </summary>
public sealed class DmaArena : IDisposable
{
    private const int SlotBytes = 2 * RsaKeyBlock.MaxModulusBytes;
    private const int KeyWindowBytes = 64 * 1024;
    private const int KeyAlignmentBytes = 64;

    // Room for 400 keys of RSA-2048. A key that comes back is copied in less than a microsecond, so that more memory would buy nothing.
    private const int MaxKeyWindows = 4;

    private readonly SharedMemory _slots;
    private readonly ulong _slotsIova;
    private readonly FileDescriptor _keys;
    private readonly ulong _keysIova;
    private readonly List<MappedMemory> _keyWindows = [];   // parts of the file of keys, one after the other
    private readonly List<KeyPlace> _freeKeyPlaces = [];
    private int _keyWindow;         // the one that is being filled
    private int _keyWindowUsed;     // bytes of it

    /// <summary>
    /// Allocates a slot for each ring entry and room for keys, and announces both to the device, the room that is not yet needed too: an
    /// operation that brings a new key has a deadline, and asks the device nothing.
    /// </summary>
    /// <exception cref="LinuxException">No memory, or the device refused the mapping.</exception>
    public DmaArena(EmulatedDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        _slots = SharedMemory.Create("warp-slots", device.Depth * SlotBytes, secret: true);
        try
        {
            _keys = SharedMemory.CreateFile("warp-keys", MaxKeyWindows * KeyWindowBytes, out int keysBytes);
            _slotsIova = device.MapDma(_slots, DmaAccess.ReadWrite);
            _keysIova = device.MapDma(_keys, keysBytes, DmaAccess.Read);
            AddKeyWindow();
        }
        catch
        {
            _slots.Dispose();
            _keys?.Dispose();
            throw;
        }
    }

    /// <summary>Bytes that an arena of this depth locks when it has so many bytes of keys.</summary>
    internal static long LockedBytesOf(int depth, long keyBytes)
    {
        int slots = depth * SlotBytes;
        long windows = Math.Clamp((keyBytes / KeyWindowBytes) + 1, 1, MaxKeyWindows);
        return (slots + Environment.SystemPageSize - 1) / Environment.SystemPageSize * Environment.SystemPageSize + (windows * KeyWindowBytes);
    }

    /// <summary>Whether every page is locked in memory; false when the limit of locked memory (ulimit -l) is too low.</summary>
    public bool IsLocked => _slots.Memory.IsLocked && _keyWindows.TrueForAll(static window => window.IsLocked);

    /// <summary>The input of slot <paramref name="index"/>: <paramref name="modulusBytes"/> bytes.</summary>
    public Span<byte> Input(int index, int modulusBytes) => _slots.Memory.Slice(index * SlotBytes, modulusBytes);

    /// <summary>The output of slot <paramref name="index"/>: <paramref name="modulusBytes"/> bytes.</summary>
    public Span<byte> Output(int index, int modulusBytes) =>
        _slots.Memory.Slice((index * SlotBytes) + RsaKeyBlock.MaxModulusBytes, modulusBytes);

    /// <summary>Where the device finds the input of slot <paramref name="index"/>.</summary>
    public ulong InputIova(int index) => _slotsIova + ((ulong)index * SlotBytes);

    /// <summary>Where the device writes the output of slot <paramref name="index"/>.</summary>
    public ulong OutputIova(int index) => InputIova(index) + RsaKeyBlock.MaxModulusBytes;

    /// <summary>
    /// Copies a key block into the arena, adding memory when none is free; the device is asked nothing. False when the arena has all the memory it may have:
    /// then <see cref="EraseAllKeys"/> makes room.
    /// </summary>
    /// <exception cref="LinuxException">No memory.</exception>
    public bool TryWriteKey(ReadOnlySpan<byte> block, out KeyPlace place)
    {
        int sizeBytes = (block.Length + KeyAlignmentBytes - 1) / KeyAlignmentBytes * KeyAlignmentBytes;
        int free = _freeKeyPlaces.FindIndex(place => place.SizeBytes == sizeBytes);
        if (free >= 0)
        {
            place = _freeKeyPlaces[free];
            _freeKeyPlaces.RemoveAt(free);
        }
        else if (!TryTakeNewKeyPlace(sizeBytes, out place))
        {
            return false;
        }

        block.CopyTo(KeyBytes(place));

        // What was copied with them may stay there for as long as this thread sleeps.
        VectorRegisters.Clear();
        return true;
    }

    /// <summary>Zeroes a key block and keeps its place for another. No operation with it may be in flight.</summary>
    public void EraseKey(KeyPlace place)
    {
        CryptographicOperations.ZeroMemory(KeyBytes(place));
        _freeKeyPlaces.Add(place);
    }

    /// <summary>Zeroes all key blocks; none of their places is valid any more. No operation may be in flight.</summary>
    public void EraseAllKeys()
    {
        foreach (MappedMemory window in _keyWindows)
        {
            CryptographicOperations.ZeroMemory(window.GetSpan());
        }

        _freeKeyPlaces.Clear();
        _keyWindow = 0;
        _keyWindowUsed = 0;
    }

    /// <summary>Zeroes and releases everything. The device must be gone or disposed before: it holds mappings.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_slots.Memory.GetSpan());
        _slots.Dispose();
        foreach (MappedMemory window in _keyWindows)
        {
            CryptographicOperations.ZeroMemory(window.GetSpan());
            window.Dispose();
        }

        _keyWindows.Clear();
        _keys.Dispose();
    }

    private Span<byte> KeyBytes(KeyPlace place) => _keyWindows[place.Window].Slice(place.Offset, place.SizeBytes);

    private bool TryTakeNewKeyPlace(int sizeBytes, out KeyPlace place)
    {
        place = default;
        if (_keyWindowUsed + sizeBytes > KeyWindowBytes)
        {
            if (_keyWindow + 1 == MaxKeyWindows)
            {
                return false;
            }

            if (_keyWindow + 1 == _keyWindows.Count)
            {
                AddKeyWindow();
            }

            _keyWindow++;
            _keyWindowUsed = 0;
        }

        place = new KeyPlace(_keyWindow, _keyWindowUsed, sizeBytes, _keysIova + (ulong)((_keyWindow * KeyWindowBytes) + _keyWindowUsed));
        _keyWindowUsed += sizeBytes;
        return true;
    }

    private void AddKeyWindow() =>
        _keyWindows.Add(MappedMemory.MapShared(_keys, _keyWindows.Count * KeyWindowBytes, KeyWindowBytes, writable: true, secret: true));
}

/// <summary>Where a key block stands in an arena.</summary>
/// <param name="Window">Which piece of memory.</param>
/// <param name="Offset">Where in it.</param>
/// <param name="SizeBytes">Bytes reserved.</param>
/// <param name="Iova">Where the device finds it; never 0 for a block that exists.</param>
public readonly record struct KeyPlace(int Window, int Offset, int SizeBytes, ulong Iova);
