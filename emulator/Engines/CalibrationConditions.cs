using System.Security.Cryptography;
using System.Text;

namespace WarpDrive.Engines;

/// <summary>What measured times depend on: times taken under other conditions are of no use.</summary>
internal static class CalibrationConditions
{
    private static readonly string[] CpuFields = ["vendor_id", "cpu family", "model", "model name", "stepping", "microcode", "flags"];

    /// <summary>CPU, both engines and their code, and the runtime that compiles it; a line of text.</summary>
    public static string Read(IRsaEngine scalar, IRsaEngine simd) => string.Join(
        "; ",
        DescribeCpu(ReadCpuInfo()),
        scalar.Name,
        simd.Name,
        $"code {typeof(CalibrationConditions).Module.ModuleVersionId}",
        $".NET {Environment.Version}",
        $"OPENSSL_ia32cap {Environment.GetEnvironmentVariable("OPENSSL_ia32cap")}");

    /// <summary>Model and features of the first processor of <c>/proc/cpuinfo</c>: <c>AMD EPYC, 3f0c81a2</c>.</summary>
    internal static string DescribeCpu(IEnumerable<string> cpuInfo)
    {
        var fields = cpuInfo.TakeWhile(line => line.Length > 0)
            .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(field => field.Length == 2)
            .DistinctBy(field => field[0])
            .ToDictionary(field => field[0], field => field[1]);
        string all = string.Join('\n', CpuFields.Select(field => fields.GetValueOrDefault(field)));
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..8];
        return $"{fields.GetValueOrDefault("model name", "unknown CPU")}, {digest}";
    }

    private static string[] ReadCpuInfo()
    {
        try
        {
            return File.ReadAllLines("/proc/cpuinfo");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
