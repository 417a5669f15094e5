using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>The tests of the SIMD engine that run on every processor.</summary>
public sealed class SimdSupportTests
{
    // What .NET 10 asks for before it says yes to any of AVX-512.
    private static readonly string[] Needed = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];

    private static readonly string[] Switches = ["DOTNET_EnableAVX512", "DOTNET_EnableAVX2", "DOTNET_EnableAVX", "DOTNET_EnableHWIntrinsic"];

    [Fact]
    public void Engine_is_there_where_the_kernel_lists_AVX_512() => Assert.Equal(ProcessorHasIt(), SimdEngine.IsSupported);

    /// <summary>Where the other tests of the SIMD engine do not exist, this is what it promises.</summary>
    [Fact]
    public void Engine_starts_where_it_is_supported_and_refuses_by_name_elsewhere()
    {
        if (SimdEngine.IsSupported)
        {
            using var engine = new SimdEngine();
            Assert.Equal("simd (AVX-512F, 8 lanes)", engine.Name);
            Assert.Equal(8, engine.Lanes);
            return;
        }

        Assert.Contains("AVX-512F", Assert.Throws<PlatformNotSupportedException>(() => new SimdEngine()).Message, StringComparison.Ordinal);
    }

    private static bool ProcessorHasIt()
    {
        // The runtime's own switches make a processor look older.
        if (Switches.Any(name => Environment.GetEnvironmentVariable(name) is "0"))
        {
            return false;
        }

        string? flags = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal));
        string[] words = flags?.Split(' ') ?? [];
        return Needed.All(words.Contains);
    }
}
