using System.Globalization;

namespace WarpProxy.LoadTest.Engines;

/// <summary>The sizes of keys that all engines compute.</summary>
internal static class EngineSizes
{
    /// <summary>Bits.</summary>
    public static int[] Allowed { get; } = [2048, 3072, 4096];

    /// <summary>Reads sizes with commas between. False when one is not allowed or named twice.</summary>
    public static bool TryParse(string text, out int[] sizes)
    {
        sizes = [.. text.Split(',').Select(static size => int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out int bits) ? bits : 0)];
        return sizes.All(Allowed.Contains) && sizes.Distinct().Count() == sizes.Length;
    }
}
