using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>The tests of the SIMD engine that run on every processor.</summary>
public sealed class SimdSupportTests
{
    // What .NET 10 asks for before it says yes to any of AVX-512, and to AVX2.
    private static readonly string[] Avx512Flags = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];
    private static readonly string[] Avx2Flags = ["avx2", "fma", "bmi1", "bmi2", "abm", "movbe"];

    private static readonly string[] Avx2Switches = ["DOTNET_EnableAVX2", "DOTNET_EnableAVX", "DOTNET_EnableHWIntrinsic"];

    [Fact]
    public void Widths_are_there_where_the_kernel_lists_their_instructions()
    {
        Assert.Equal(ProcessorHas(Avx2Flags, Avx2Switches), SimdWidth.Avx2.IsSupported);
        Assert.Equal(ProcessorHas([.. Avx512Flags, .. Avx2Flags], ["DOTNET_EnableAVX512", .. Avx2Switches]), SimdWidth.Avx512.IsSupported);
        Assert.Equal(SimdWidth.Avx2.IsSupported, SimdEngine.IsSupported);
    }

    /// <summary>Where the other tests of the SIMD engine do not exist, this is what it promises.</summary>
    [Theory, InlineData(0, "simd (AVX-512F, 8 lanes)", "AVX-512F and AVX-512DQ"), InlineData(1, "simd (AVX2, 4 lanes)", "AVX2 and FMA")]
    public void Engine_starts_where_its_width_is_supported_and_refuses_by_name_elsewhere(int index, string name, string instructions)
    {
        SimdWidth width = SimdWidth.All[index];
        if (width.IsSupported)
        {
            using var engine = new SimdEngine(width);
            Assert.Equal((name, width.Lanes, width.Lanes / 2), (engine.Name, engine.Lanes, engine.HalfLanes));
            return;
        }

        Assert.Equal($"The SIMD engine needs {instructions}.", Assert.Throws<PlatformNotSupportedException>(() => new SimdEngine(width)).Message);
    }

    [Fact]
    public void Engine_that_no_width_is_asked_of_has_the_most_lanes()
    {
        if (SimdEngine.IsSupported)
        {
            using var engine = new SimdEngine();
            Assert.Equal(SimdWidth.All.Where(width => width.IsSupported).Max(width => width.Lanes), engine.Lanes);
            return;
        }

        Assert.Equal("The SIMD engine needs AVX2 and FMA.", Assert.Throws<PlatformNotSupportedException>(() => new SimdEngine()).Message);
    }

    private static bool ProcessorHas(string[] needed, string[] switches)
    {
        // The runtime's own switches make a processor look older.
        if (switches.Any(name => Environment.GetEnvironmentVariable(name) is "0"))
        {
            return false;
        }

        string? flags = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal));
        string[] words = flags?.Split(' ') ?? [];
        return needed.All(words.Contains);
    }
}
