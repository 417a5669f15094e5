namespace WarpDrive.Abi.Uacce;

/// <summary>
/// One slice of the static-share region, as <see cref="UacceRequest.GetStaticShareDma"/> tells it: its argument is the slice's index before the call and this word after it;
/// the call returns more than 0 while more slices follow. Source: UADK wd_bmm.c.
/// <code>
///  11:0  length in units of 64 KiB      63:12  address
/// </code></summary>
/// <param name="Address">Where the device finds it.</param>
/// <param name="Units">Its length in units of <see cref="UnitBytes"/>; says nothing with <see cref="UacceFlags.Iommu"/>, where one slice is the whole region.</param>
public readonly record struct StaticShareSlice(ulong Address, int Units)
{
    /// <summary>Granularity of slices.</summary>
    public const int UnitBytes = 64 * 1024;

    private const ulong UnitMask = 0xfff;

    /// <summary>The word.</summary>
    public ulong Encode() => Address | ((ulong)Units & UnitMask);

    /// <summary>Takes a word apart.</summary>
    public static StaticShareSlice Decode(ulong word) => new(word & ~UnitMask, (int)(word & UnitMask));
}
