using System.Security.Cryptography;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// The memory that a queue pair shares with its device: a slot for each operation in flight (input and output of one
/// operation), which the device may write, and key blocks, which it may only read. Locked, kept out of core files
/// and forks, zeroed when released. Used by whoever owns the queue pair. Other devices can have it mapped as well, so that what one
/// has computed is the next one's input where it stands, or an operation that one refuses goes to another without a copy.
/// </summary>
public sealed class DmaArena : IDisposable
{
    /// <summary>Bytes of a slot: room for the input and the output of the largest modulus.</summary>
    internal const int SlotBytes = 2 * RsaKeyBlock.MaxModulusBytes;

    private const int KeyWindowBytes = DmaAddresses.PieceBytes;
    private const int KeyAlignmentBytes = 64;

    // Room for 400 keys of RSA-2048. A key that comes back is copied in less than a microsecond, so that more memory would buy nothing.
    private const int MaxKeyWindows = 4;
    private const int KeysBytes = MaxKeyWindows * KeyWindowBytes;

    private readonly DmaMemory _memory;
    private readonly int _slotsBytes;                       // whole pages
    private readonly int _keysOffset;                       // a whole number of pieces
    private readonly ArenaMapping _mapping;                 // of the device that it was made for
    private readonly List<KeyPlace> _freeKeyPlaces = [];
    private int _keyWindow;         // the one that is being filled
    private int _keyWindowUsed;     // bytes of it
    private int _lockedWindows;

    /// <summary>
    /// Allocates a slot for each ring entry and room for keys, and announces both to the device, the room that is not yet needed too: an
    /// operation that brings a new key has a deadline, and asks the device nothing.
    /// </summary>
    /// <exception cref="LinuxException">No memory, or the device refused the mapping.</exception>
    public DmaArena(DeviceQueue device)
        : this(device, (device ?? throw new ArgumentNullException(nameof(device))).Depth)
    {
    }

    /// <summary>As above, for fewer operations in flight than the rings have entries.</summary>
    /// <inheritdoc cref="DmaArena(DeviceQueue)"/>
    /// <param name="device">Whose memory it is; must be gone before this is disposed.</param>
    /// <param name="slotCount">Operations in flight; a power of two.</param>
    public DmaArena(DeviceQueue device, int slotCount)
    {
        ArgumentNullException.ThrowIfNull(device);
        SlotCount = slotCount;
        _slotsBytes = RoundUp(slotCount * SlotBytes, Environment.SystemPageSize);
        _keysOffset = RoundUp(_slotsBytes, DmaAddresses.PieceBytes);
        _memory = device.Allocate("warp-arena", _keysOffset + KeysBytes);
        try
        {
            IsLocked = _memory.TryLock(0, _slotsBytes);
            _mapping = MapTo(device);
            LockWindow();
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    /// <summary>Operations that have a slot.</summary>
    public int SlotCount { get; }

    /// <summary>Whether every page that is used is locked in memory; false when the limit of locked memory (ulimit -l) is too low.</summary>
    public bool IsLocked { get; private set; }

    /// <summary>Bytes that an arena of this depth locks when it has so many bytes of keys.</summary>
    internal static long LockedBytesOf(int depth, long keyBytes)
    {
        long windows = Math.Clamp((keyBytes / KeyWindowBytes) + 1, 1, MaxKeyWindows);
        return RoundUp(depth * SlotBytes, Environment.SystemPageSize) + (windows * KeyWindowBytes);
    }

    /// <summary>
    /// Announces this memory to one device more, which may then work on any slot and with any key of it. Nothing is copied. The device must be gone before
    /// this is disposed.
    /// </summary>
    /// <exception cref="LinuxException">The device refused the mapping.</exception>
    /// <exception cref="AcceleratorException">That device cannot reach this kind of memory.</exception>
    public ArenaMapping MapTo(DeviceQueue device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new ArenaMapping(
            device.MapDma(_memory, 0, _slotsBytes, DmaAccess.ReadWrite), device.MapDma(_memory, _keysOffset, KeysBytes, DmaAccess.Read));
    }

    /// <summary>The input of slot <paramref name="index"/>: <paramref name="modulusBytes"/> bytes.</summary>
    public Span<byte> Input(int index, int modulusBytes) => _memory.Memory.Slice(index * SlotBytes, modulusBytes);

    /// <summary>The output of slot <paramref name="index"/>: <paramref name="modulusBytes"/> bytes.</summary>
    public Span<byte> Output(int index, int modulusBytes) =>
        _memory.Memory.Slice((index * SlotBytes) + RsaKeyBlock.MaxModulusBytes, modulusBytes);

    /// <summary>Where the device finds the input of slot <paramref name="index"/>.</summary>
    public ulong InputIova(int index) => _mapping.InputIova(index);

    /// <summary>Where the device writes the output of slot <paramref name="index"/>.</summary>
    public ulong OutputIova(int index) => _mapping.OutputIova(index);

    /// <summary>
    /// Copies a key block into the arena, adding memory when none is free; the device is asked nothing. False when the arena has all the memory it may have:
    /// then <see cref="EraseAllKeys"/> makes room.
    /// </summary>
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
        CryptographicOperations.ZeroMemory(UsedKeys);
        _freeKeyPlaces.Clear();
        _keyWindow = 0;
        _keyWindowUsed = 0;
    }

    /// <summary>Zeroes and releases everything. The device must be gone or disposed before: it holds mappings.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_memory.Memory.Slice(0, _slotsBytes));
        CryptographicOperations.ZeroMemory(UsedKeys);
        _memory.Dispose();
    }

    /// <summary>The windows in which a key ever stood.</summary>
    private Span<byte> UsedKeys => _memory.Memory.Slice(_keysOffset, _lockedWindows * KeyWindowBytes);

    private static int RoundUp(int bytes, int unit) => (bytes + unit - 1) / unit * unit;

    private Span<byte> KeyBytes(KeyPlace place) => _memory.Memory.Slice(_keysOffset + place.Offset, place.SizeBytes);

    private bool TryTakeNewKeyPlace(int sizeBytes, out KeyPlace place)
    {
        place = default;
        if (_keyWindowUsed + sizeBytes > KeyWindowBytes)
        {
            if (_keyWindow + 1 == MaxKeyWindows)
            {
                return false;
            }

            _keyWindow++;
            _keyWindowUsed = 0;
            if (_keyWindow == _lockedWindows)
            {
                LockWindow();
            }
        }

        place = new KeyPlace((_keyWindow * KeyWindowBytes) + _keyWindowUsed, sizeBytes, 0);
        place = place with { Iova = _mapping.KeyIova(place) };
        _keyWindowUsed += sizeBytes;
        return true;
    }

    private void LockWindow() => IsLocked &= _memory.TryLock(_keysOffset + (_lockedWindows++ * KeyWindowBytes), KeyWindowBytes);
}

/// <summary>Where a key block stands in an arena.</summary>
/// <param name="Offset">Where among its keys.</param>
/// <param name="SizeBytes">Bytes reserved.</param>
/// <param name="Iova">Where the device that the arena was made for finds it; never 0 for a block that exists.</param>
public readonly record struct KeyPlace(int Offset, int SizeBytes, ulong Iova);
