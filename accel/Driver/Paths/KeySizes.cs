using System.Diagnostics;
using WarpDrive.Abi.Hpre;

namespace WarpDrive.Driver.Paths;

/// <summary>The sizes of keys that devices take, and their places in tables.</summary>
internal static class KeySizes
{
    private const int StepBytes = 128;

    /// <summary>Bytes of the modulus, by place.</summary>
    public static IReadOnlyList<int> All { get; } = [.. Enumerable.Range(1, RsaKeyBlock.MaxModulusBytes / StepBytes).Select(static step => step * StepBytes)];

    /// <summary>The place of a size.</summary>
    public static int PlaceOf(int modulusBytes)
    {
        Debug.Assert(RsaKeyBlock.IsSupportedModulus(modulusBytes));
        return (modulusBytes / StepBytes) - 1;
    }
}
