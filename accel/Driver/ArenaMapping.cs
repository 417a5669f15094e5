using WarpDrive.Abi.Hpre;

namespace WarpDrive.Driver;

/// <summary>An arena as one device sees it. Another device that has the same arena finds the same bytes elsewhere.</summary>
public sealed class ArenaMapping
{
    private readonly DmaAddresses _slots;
    private readonly DmaAddresses _keys;

    internal ArenaMapping(DmaAddresses slots, DmaAddresses keys)
    {
        _slots = slots;
        _keys = keys;
    }

    /// <summary>Where the device finds the input of slot <paramref name="index"/>.</summary>
    public ulong InputIova(int index) => _slots.At(index * DmaArena.SlotBytes);

    /// <summary>Where the device writes the output of slot <paramref name="index"/>.</summary>
    public ulong OutputIova(int index) => InputIova(index) + RsaKeyBlock.MaxModulusBytes;

    /// <summary>Where the device finds a key block.</summary>
    public ulong KeyIova(KeyPlace place) => _keys.At(place.Offset);
}
