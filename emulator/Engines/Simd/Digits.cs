namespace WarpDrive.Engines.Simd;

/// <summary>
/// How the SIMD engine writes numbers: as digits of 47 bits, lowest first, each the integer value of a <see cref="double"/> between about
/// -2^46 and 2^46. Digit i of all lanes (<see cref="IDigitLanes"/>) lies together, in one vector. The proof that nothing is ever rounded that must
/// not be stands in emulator/Engines/README.md, "Bounds".
/// </summary>
internal static class Digits
{
    /// <summary>Bits of one digit.</summary>
    public const int Bits = 47;

    /// <summary>The lowest 47 bits: the largest digit of bytes.</summary>
    public const long Mask = (1L << Bits) - 1;

    /// <summary>2^47: the base of the digits.</summary>
    public const double Base = 140737488355328.0;

    /// <summary>2^-47.</summary>
    public const double BaseInverse = 1 / Base;

    /// <summary>1.5 * 2^52: added and taken away again, it rounds a number below 2^51 to an integer.</summary>
    public const double Rounder = 6755399441055744.0;

    /// <summary>1.5 * 2^99: a sum that starts here keeps multiples of 2^47 and rounds the rest away, as long as it moves by less than 2^98.</summary>
    public const double HighStart = Rounder * Base;

    /// <summary>Columns that the kernel holds in registers at a time, and digits that a tile has.</summary>
    public const int Block = 11;

    /// <summary>Bits of a prime for which one block more is needed: 11 digits hold 517 bits, of which 5 stay free.</summary>
    public const int BlockBits = 512;

    /// <summary>Bits of one window of an exponent.</summary>
    public const int WindowBits = 4;

    /// <summary>Blocks that hold a prime of <paramref name="primeBits"/> bits: 2, 3 or 4 for RSA-2048, 3072, 4096.</summary>
    public static int BlocksFor(int primeBits) => primeBits / BlockBits;
}
