using System.Text.Json;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>One line of what testssl.sh found: severity OK, INFO, LOW, MEDIUM, HIGH, CRITICAL, or WARN where it could not tell.</summary>
internal sealed record TestSslFinding(string Id, string Severity, string Finding);

/// <summary>Runs testssl.sh.</summary>
internal static class TestSsl
{
    public const string Path = "/usr/bin/testssl";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);   // on its own it takes one, most of it waiting for what a server does not answer
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Scans a listener with the checks of these options.</summary>
    /// <param name="proxy">The listener.</param>
    /// <param name="trusted">PEM file with the certificate to trust.</param>
    /// <param name="report">Where the findings are written; must not exist.</param>
    /// <param name="checks">Options of testssl.sh; none for all its checks.</param>
    public static async Task<IReadOnlyList<TestSslFinding>> ScanAsync(ProxyProcess proxy, string trusted, string report, params string[] checks)
    {
        ToolResult result = await Tool.RunAsync(
            Path,
            [
                "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", proxy.Url.Host, "--add-ca", trusted,
                "--jsonfile", report, .. checks, $"https://localhost:{proxy.Url.Port}",
            ],
            limit: Limit);

        // Its exit code is the number of checks that failed in one way or another.
        Assert.True(File.Exists(report), result.ToString());
        return JsonSerializer.Deserialize<TestSslFinding[]>(await File.ReadAllTextAsync(report), Json)!;
    }
}
