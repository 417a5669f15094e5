using WarpDrive.Engines.Simd;

namespace WarpDrive.Engines;

/// <summary>A width of vectors that the SIMD engine can compute with.</summary>
public sealed class SimdWidth
{
    private SimdWidth(string name, string instructions, int lanes, bool isSupported, Func<int, DigitMemory, ICrtLanes> createSize)
    {
        Name = name;
        Instructions = instructions;
        Lanes = lanes;
        IsSupported = isSupported;
        CreateSize = createSize;
    }

    /// <summary>512 bits.</summary>
    public static SimdWidth Avx512 { get; } = Of<Avx512Lanes>("AVX-512F", "AVX-512F and AVX-512DQ");

    /// <summary>256 bits.</summary>
    public static SimdWidth Avx2 { get; } = Of<Avx2Lanes>("AVX2", "AVX2 and FMA");

    /// <summary>All of them, the best first.</summary>
    public static IReadOnlyList<SimdWidth> All { get; } = [Avx512, Avx2];

    /// <summary>The best that this processor and runtime have; null: none.</summary>
    public static SimdWidth? Best { get; } = All.FirstOrDefault(width => width.IsSupported);

    /// <summary><c>AVX-512F</c> or <c>AVX2</c>.</summary>
    public string Name { get; }

    /// <summary>What it needs, for people: <c>AVX2 and FMA</c>.</summary>
    public string Instructions { get; }

    /// <summary>Doubles in a vector: operations of a full pass.</summary>
    public int Lanes { get; }

    /// <summary>Whether this processor and runtime have the instructions.</summary>
    public bool IsSupported { get; }

    /// <summary>Computes operations with a modulus of so many bytes, in this memory.</summary>
    internal Func<int, DigitMemory, ICrtLanes> CreateSize { get; }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;

    private static SimdWidth Of<TLanes>(string name, string instructions)
        where TLanes : struct, IDigitLanes =>
        new(name, instructions, TLanes.Count, TLanes.IsSupported, (modulusBytes, memory) => new CrtLanes<TLanes>(modulusBytes, memory));
}
