using System.Runtime.InteropServices;
using WarpDrive.Engines;

namespace WarpProxy.Doctor;

/// <summary>What the processor has of the instructions that make the emulated device's engine quick, and OpenSSL.</summary>
internal sealed class ProcessorCheck : ICheck
{
    // As /proc/cpuinfo has them, and as people write them. IFMA is what OpenSSL's own RSA-2048 is twice as quick with.
    private static readonly (string Flag, string Name)[] Features =
    [
        ("avx2", "AVX2"), ("fma", "FMA"), ("avx512f", "AVX-512F"), ("avx512dq", "AVX-512DQ"), ("avx512ifma", "AVX-512 IFMA"),
    ];

    /// <inheritdoc/>
    public string Name => "processor";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        HashSet<string> flags = [.. Read("flags")?.Split(' ') ?? []];
        string[] features = [.. Features.Where(feature => flags.Contains(feature.Flag)).Select(static feature => feature.Name)];
        string model = Read("model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        string seen = $"{model}, {Environment.ProcessorCount} for this process, "
            + (features.Length > 0 ? $"with {string.Join(", ", features)}" : $"with none of {string.Join(", ", Features.Select(static feature => feature.Name))}")
            + (SimdWidth.Best is { } best ? $"; the SIMD engine has {best.Lanes} lanes ({best})" : "");
        yield return (SimdWidth.Best is null
            ? Finding.Warning(Name, null, seen, "Without AVX2 and FMA the emulated device computes with OpenSSL, and saves nothing: use a real device, or Offload:Path software")
            : Finding.Ok(Name, null, seen)) with
        {
            Values = new Dictionary<string, object?>
            {
                ["model"] = model, ["processors"] = Environment.ProcessorCount, ["features"] = features, ["simd"] = SimdWidth.Best?.Name,
            },
        };
    }

    private static string? Read(string field)
    {
        try
        {
            return File.ReadLines("/proc/cpuinfo").Select(static line => line.Split(':', 2, StringSplitOptions.TrimEntries))
                .FirstOrDefault(line => line.Length == 2 && line[0] == field)?[1];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
