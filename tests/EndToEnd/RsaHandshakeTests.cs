using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>
/// Real clients, each of which verifies the certificate. The conversation is the same on every path; the counters before and after prove
/// which one did the operation.
/// </summary>
public sealed class RsaHandshakeTests(EveryPath paths, ITestOutputHelper output) : IClassFixture<EveryPath>, IDisposable
{
    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Emulator)]
    [InlineData(EveryPath.Software)]
    public async Task Curl_with_http_1(string path)
    {
        ToolResult result = await WithOperationAsync(path, proxy => Tool.GetWithCurlAsync(proxy, paths.TrustedFile, "--http1.1"));
        Assert.EndsWith("HTTP/1.1 200", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Emulator)]
    [InlineData(EveryPath.Software)]
    public async Task Curl_with_http_2(string path)
    {
        ToolResult result = await WithOperationAsync(path, proxy => Tool.GetWithCurlAsync(proxy, paths.TrustedFile, "--http2"));
        Assert.EndsWith("HTTP/2 200", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryPath.Embedded, "RSA-PSS+SHA256", "SHA256")]
    [InlineData(EveryPath.Embedded, "RSA-PSS+SHA384", "SHA384")]
    [InlineData(EveryPath.Embedded, "RSA-PSS+SHA512", "SHA512")]
    [InlineData(EveryPath.Emulator, "RSA-PSS+SHA256", "SHA256")]
    [InlineData(EveryPath.Software, "RSA-PSS+SHA256", "SHA256")]
    [InlineData(EveryPath.Emulator, "RSA-PSS+SHA384", "SHA384")]
    [InlineData(EveryPath.Software, "RSA-PSS+SHA384", "SHA384")]
    [InlineData(EveryPath.Emulator, "RSA-PSS+SHA512", "SHA512")]
    [InlineData(EveryPath.Software, "RSA-PSS+SHA512", "SHA512")]
    public async Task Tls_1_3(string path, string algorithm, string digest)
    {
        ToolResult result = await WithOperationAsync(
            path, proxy => Tool.GetWithOpenSslAsync(proxy, paths.TrustedFile, "-tls1_3", "-sigalgs", algorithm));
        Assert.Contains("New, TLSv1.3", result.Output, StringComparison.Ordinal);
        Assert.Contains("Peer signature type: RSA-PSS", result.Output, StringComparison.Ordinal);
        Assert.Contains($"Peer signing digest: {digest}", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryPath.Embedded, "RSA+SHA256", "RSA", "SHA256")]
    [InlineData(EveryPath.Embedded, "RSA+SHA384", "RSA", "SHA384")]
    [InlineData(EveryPath.Embedded, "RSA+SHA512", "RSA", "SHA512")]
    [InlineData(EveryPath.Embedded, "RSA-PSS+SHA256", "RSA-PSS", "SHA256")]
    [InlineData(EveryPath.Emulator, "RSA+SHA256", "RSA", "SHA256")]
    [InlineData(EveryPath.Software, "RSA+SHA256", "RSA", "SHA256")]
    [InlineData(EveryPath.Emulator, "RSA+SHA384", "RSA", "SHA384")]
    [InlineData(EveryPath.Software, "RSA+SHA384", "RSA", "SHA384")]
    [InlineData(EveryPath.Emulator, "RSA+SHA512", "RSA", "SHA512")]
    [InlineData(EveryPath.Software, "RSA+SHA512", "RSA", "SHA512")]
    [InlineData(EveryPath.Emulator, "RSA-PSS+SHA256", "RSA-PSS", "SHA256")]
    [InlineData(EveryPath.Software, "RSA-PSS+SHA256", "RSA-PSS", "SHA256")]
    public async Task Tls_1_2_with_ephemeral_keys(string path, string algorithm, string type, string digest)
    {
        ToolResult result = await WithOperationAsync(
            path, proxy => Tool.GetWithOpenSslAsync(proxy, paths.TrustedFile, "-tls1_2", "-sigalgs", algorithm));
        Assert.Contains("New, TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256", result.Output, StringComparison.Ordinal);
        Assert.Contains($"Peer signature type: {type}\n", result.Output, StringComparison.Ordinal);
        Assert.Contains($"Peer signing digest: {digest}\n", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Emulator)]
    [InlineData(EveryPath.Software)]
    public async Task Tls_1_2_with_rsa_key_exchange(string path)
    {
        ToolResult result = await WithOperationAsync(
            path, proxy => Tool.GetWithOpenSslAsync(proxy, paths.TrustedFile, "-tls1_2", "-cipher", "AES128-GCM-SHA256"));
        Assert.Contains("Cipher is AES128-GCM-SHA256", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Connection_ends_with_close_notify(string version)
    {
        // s_client fails when a connection ends without: somebody may have cut it off (RFC 8446 6.1).
        ToolResult result = await Tool.GetWithOpenSslAsync(paths.Proxy(EveryPath.Embedded), paths.TrustedFile, version);
        Assert.DoesNotContain("unexpected eof", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
    }

    [Theory]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Emulator)]
    [InlineData(EveryPath.Software)]
    public async Task Nothing_is_in_use_between_handshakes(string path)
    {
        await Eventually.TrueAsync("no leak", async () => (await paths.Proxy(path).StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
    }

    public void Dispose() => output.WriteLine(paths.Transcript());

    private async Task<ToolResult> WithOperationAsync(string path, Func<ProxyProcess, Task<ToolResult>> run)
    {
        ProxyProcess proxy = paths.Proxy(path);
        OperationStatus before = (await proxy.StatusAsync()).Operations;
        ToolResult result = await run(proxy);
        Assert.Equal(EveryPath.Operations(path, 1), (await proxy.StatusAsync()).Operations.Since(before));
        return result;
    }
}
