using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warp-loadtest engines</c>: every engine computes right under measurement. How fast they are depends on the machine.</summary>
[Collection(Alone.Name)]
public sealed class EnginesTests(ITestOutputHelper output)
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task Engines_prints_a_row_for_openssl_and_for_each_engine_and_batch(bool isAvx512Off)
    {
        ToolResult result = await Tool.RunAsync(
            "/usr/bin/env",
            [.. isAvx512Off ? ["DOTNET_EnableAVX512=0"] : Array.Empty<string>(), Executable.LoadTest, "engines", "--json", "--seconds", "0.5", "--rounds", "2", "--sizes", "2048"],
            limit: TimeSpan.FromMinutes(5));
        output.WriteLine(result.ToString());
        Assert.Equal(0, result.ExitCode);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        JsonElement[] rows = [.. json.RootElement.EnumerateArray()];
        string[] simd = !isAvx512Off && Avx512F.IsSupported && Avx512DQ.IsSupported ? ["simd 1", "simd 4", "simd 8"]
            : Avx2.IsSupported && Fma.IsSupported ? ["simd 1", "simd 2", "simd 4"]
            : [];
        Assert.Equal(
            ["openssl 1", "scalar 1", .. simd],
            rows.Select(row => $"{row.GetProperty("engine").GetString()} {row.GetProperty("batch").GetInt32()}"));
        Assert.Equal(1, rows[0].GetProperty("ratioToOpenSsl").GetDouble());
        Assert.All(rows, row =>
        {
            Assert.Equal(2048, row.GetProperty("bits").GetInt32());
            double rate = row.GetProperty("opsPerSecond").GetDouble();
            Assert.True(rate > 0);
            Assert.Equal(row.GetProperty("batch").GetInt32(), rate * row.GetProperty("batchLatencyMs").GetDouble() / 1000, 1e-6);
            Assert.InRange(
                row.GetProperty("ratioToOpenSsl").GetDouble(),
                row.GetProperty("lowestRatio").GetDouble(),
                row.GetProperty("highestRatio").GetDouble());
            Assert.True(row.TryGetProperty("breakEven", out _));
        });
        Assert.Equal(simd.Length == 0, result.Error.Contains("Left out:  simd", StringComparison.Ordinal));
        Assert.Contains("OpenSSL:", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--sizes", "2048,1000", "--sizes is '2048,1000'; it must be")]
    [InlineData("--seconds", "0", "--seconds is 0; it must be")]
    [InlineData("--rounds", "0", "--rounds is 0; it must be")]
    public async Task Values_that_are_not_allowed_are_refused_with_one_sentence(string option, string value, string sentence)
    {
        ToolResult result = await Tool.RunAsync(Executable.LoadTest, ["engines", option, value]);
        string line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith(sentence, line, StringComparison.Ordinal);
        Assert.EndsWith(".", line, StringComparison.Ordinal);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
    }
}
