using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace WarpProxy.LoadTest.Engines;

/// <summary>What the figures depend on: the processor, and which of its instructions OpenSSL uses.</summary>
internal static class ProcessorFacts
{
    // The flags that OpenSSL's RSA code for AVX-512 IFMA asks for (ossl_rsaz_avx512ifma_eligible), and their bits in EBX of CPUID leaf 7.
    private const ulong IfmaCapability = 1u << 16 | 1u << 17 | 1u << 21 | 1u << 31;
    private static readonly string[] IfmaFlags = ["avx512f", "avx512dq", "avx512ifma", "avx512vl"];

    /// <summary>The model's name, or the architecture where the kernel does not tell one.</summary>
    public static string Model { get; } = Read("model name") ?? RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary><c>3.0.19</c>, of the library in this process.</summary>
    public static string OpenSslVersion { get; } = Version().ToString(3);

    /// <summary>Whether OpenSSL's RSA uses AVX-512 IFMA, in words.</summary>
    public static string OpenSslIfma()
    {
        string flags = $" {Read("flags")} ";
        if (!IfmaFlags.All(flag => flags.Contains($" {flag} ", StringComparison.Ordinal)))
        {
            return "no AVX-512 IFMA on this processor";
        }

        if (IsIfmaMasked(Environment.GetEnvironmentVariable("OPENSSL_ia32cap")))
        {
            return "AVX-512 IFMA masked by OPENSSL_ia32cap";
        }

        // CHANGES of OpenSSL 3.1: "Parallel dual-prime 1536/2048-bit modular exponentiation for AVX512_IFMA capable processors".
        return Version() < new Version(3, 1) ? "with AVX-512 IFMA for RSA-2048" : "with AVX-512 IFMA for RSA-2048, 3072 and 4096";
    }

    /// <summary>
    /// Whether this value of OPENSSL_ia32cap takes instructions away that the code for AVX-512 IFMA needs: the part behind the colon stands
    /// for CPUID leaf 7, or with a tilde for what is taken from it; without that part nothing of the leaf is used (OPENSSL_ia32cap(3)).
    /// </summary>
    public static bool IsIfmaMasked(string? capabilities)
    {
        if (string.IsNullOrEmpty(capabilities))
        {
            return false;
        }

        int colon = capabilities.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            return true;
        }

        ReadOnlySpan<char> leaf = capabilities.AsSpan(colon + 1);
        bool isMask = leaf.StartsWith("~");
        ulong bits = Number(leaf[(isMask ? 1 : 0)..]);
        return isMask ? (bits & IfmaCapability) != 0 : (bits & IfmaCapability) != IfmaCapability;
    }

    private static ulong Number(ReadOnlySpan<char> text)
    {
        bool isHexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        NumberStyles style = isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        return ulong.TryParse(isHexadecimal ? text[2..] : text, style, CultureInfo.InvariantCulture, out ulong number) ? number : 0;
    }

    // 0xMNN00PP0: major, minor, patch.
    private static Version Version()
    {
        long number = SafeEvpPKeyHandle.OpenSslVersion;
        return new Version((int)(number >> 28 & 0xF), (int)(number >> 20 & 0xFF), (int)(number >> 4 & 0xFF));
    }

    private static string? Read(string name) => File.ReadLines("/proc/cpuinfo")
        .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Contains(':', StringComparison.Ordinal))
        .Select(static line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault();
}
