using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace WarpProxy.LoadTest.Compare;

/// <summary>Where something was measured.</summary>
/// <param name="Processor">The name of its model, and how many this process may use.</param>
/// <param name="Kernel">Its version.</param>
/// <param name="System">Of the distribution.</param>
/// <param name="Runtime">Of .NET.</param>
/// <param name="OpenSsl">Of the library that this process loads.</param>
internal sealed record Machine(string Processor, string Kernel, string System, string Runtime, string OpenSsl)
{
    public static Machine Read() => new(
        $"{Field("/proc/cpuinfo", "model name", ':') ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} processors",
        $"Linux {Environment.OSVersion.Version}",
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        Version(SafeEvpPKeyHandle.OpenSslVersion));

    /// <summary>0xMNN00PP0, OPENSSL_VERSION_NUMBER(3).</summary>
    public static string Version(long number) => $"OpenSSL {number >> 28}.{(number >> 20) & 0xff}.{(number >> 4) & 0xff}";

    private static string? Field(string file, string name, char separator) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(separator, 2)[^1].Trim();
}
