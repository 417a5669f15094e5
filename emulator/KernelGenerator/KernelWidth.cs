namespace WarpDrive.KernelGenerator;

/// <summary>For which vectors a kernel is written.</summary>
/// <param name="Class">The kernel's name.</param>
/// <param name="Bits">Of one vector.</param>
/// <param name="Instructions">The classes that the instructions come from.</param>
/// <param name="MultiplyAdd">What they call a multiply-add.</param>
/// <param name="Passes">How many of the columns of a block are worked on at a time: two registers each, of those that there are.</param>
internal sealed record KernelWidth(string Class, int Bits, string[] Instructions, string MultiplyAdd, int[] Passes)
{
    /// <summary>Eight lanes, 32 registers.</summary>
    public static KernelWidth Avx512 { get; } = new("Avx512Kernel", 512, ["Avx512F"], "FusedMultiplyAdd", [11]);

    /// <summary>Four lanes, 16 registers: a block is walked twice.</summary>
    public static KernelWidth Avx2 { get; } = new("Avx2Kernel", 256, ["Avx", "Fma"], "MultiplyAdd", [6, 5]);

    /// <summary>Both.</summary>
    public static KernelWidth[] All { get; } = [Avx512, Avx2];

    /// <summary>The name of the file.</summary>
    public string FileName => $"{Class}.cs";

    /// <summary>The type of a vector.</summary>
    public string Vector => $"Vector{Bits}<double>";

    /// <summary>Doubles in a vector.</summary>
    public int Lanes => Bits / 64;
}
