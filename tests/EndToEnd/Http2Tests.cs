using System.Security.Cryptography;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>HTTP/2 through the TLS endpoint with clients that are strict about it: nghttp2's load generator and a browser.</summary>
public sealed class Http2Tests(EveryPath paths, ITestOutputHelper output) : IClassFixture<EveryPath>, IDisposable
{
    private const string H2Load = "/usr/bin/h2load";
    private const string Chromium = "/usr/bin/chromium";

    public void Dispose() => output.WriteLine(paths.Transcript());

    [DebianPackageTheory("nghttp2-client", H2Load)]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Emulator)]
    [InlineData(EveryPath.Software)]
    public async Task Streams_of_many_connections_are_all_served(string path)
    {
        ProxyProcess proxy = paths.Proxy(path);
        OperationStatus before = (await proxy.StatusAsync()).Operations;
        ToolResult result = await Tool.RunAsync(
            H2Load, ["--requests=4000", "--clients=40", "--max-concurrent-streams=25", proxy.Url.ToString()], limit: TimeSpan.FromMinutes(5));
        output.WriteLine(result.Output);
        Assert.Contains("Application protocol: h2", result.Output, StringComparison.Ordinal);
        Assert.Contains("4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout", result.Output, StringComparison.Ordinal);
        Assert.Equal(EveryPath.Operations(path, 40), (await proxy.StatusAsync()).Operations.Since(before));
    }

    [DebianPackageTheory("chromium", Chromium)]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Software)]
    public async Task Browser_shows_the_page(string path)
    {
        // The key's hash stands in for a trusted root: headless, it has no other way to learn of one.
        byte[] publicKey = paths.PublicKeyInfo();
        ToolResult result = await Tool.RunAsync(
            Chromium,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                $"--user-data-dir={paths.Directory("chromium-" + path)}",
                $"--ignore-certificate-errors-spki-list={Convert.ToBase64String(SHA256.HashData(publicKey))}",
                "--dump-dom", paths.Proxy(path).Url.ToString(),
            ],
            limit: TimeSpan.FromMinutes(5));
        Assert.Contains("WarpProxy is serving", result.Output, StringComparison.Ordinal);
        Assert.Matches(new Regex("<dt>Protocol</dt><dd>HTTP/2</dd>"), result.Output);
        Assert.Contains("Tls13 TLS_AES", result.Output, StringComparison.Ordinal);
    }
}
