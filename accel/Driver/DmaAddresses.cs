namespace WarpDrive.Driver;

/// <summary>
/// Where a device finds a part of memory. In pieces, since a kernel without an I/O memory management unit gives memory in pieces that lie anywhere;
/// nothing that a device reads or writes in one go may cross the border of two.
/// </summary>
/// <param name="pieces">The address of each piece, in order.</param>
public sealed class DmaAddresses(ulong[] pieces)
{
    /// <summary>Bytes of each piece but the last, which may be shorter. As the kernel's static share region has them.</summary>
    public const int PieceBytes = 64 * 1024;

    /// <summary>Bytes that lie one after the other for the device too.</summary>
    /// <param name="start">Of the first byte.</param>
    /// <param name="sizeBytes">How many.</param>
    public static DmaAddresses Contiguous(ulong start, int sizeBytes)
    {
        var pieces = new ulong[(sizeBytes + PieceBytes - 1) / PieceBytes];
        for (int i = 0; i < pieces.Length; i++)
        {
            pieces[i] = start + ((ulong)i * PieceBytes);
        }

        return new DmaAddresses(pieces);
    }

    /// <summary>The address of the byte at <paramref name="offset"/>.</summary>
    public ulong At(int offset) => pieces[offset / PieceBytes] + (ulong)(offset % PieceBytes);

    /// <summary>The addresses of a part that starts at a piece.</summary>
    /// <param name="offset">A multiple of <see cref="PieceBytes"/>.</param>
    /// <param name="sizeBytes">Its length.</param>
    public DmaAddresses Part(int offset, int sizeBytes) =>
        new(pieces[(offset / PieceBytes)..((offset + sizeBytes + PieceBytes - 1) / PieceBytes)]);
}
