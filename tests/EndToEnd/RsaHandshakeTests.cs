using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>
/// Real clients, each of which verifies the certificate. The counters before and after prove that the device did the
/// operation, for both kinds of device.
/// </summary>
public sealed class RsaHandshakeTests(BothDevices devices, ITestOutputHelper output) : IClassFixture<BothDevices>, IDisposable
{
    private const string OneByDevice = "device 1, software 0";

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(BothDevices.Embedded)]
    [InlineData(BothDevices.Emulator)]
    public async Task Curl_with_http_1(string device)
    {
        ToolResult result = await WithOperationsAsync(device, OneByDevice, proxy => Tool.GetWithCurlAsync(proxy, devices.TrustedFile, "--http1.1"));
        Assert.EndsWith("HTTP/1.1 200", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(BothDevices.Embedded)]
    [InlineData(BothDevices.Emulator)]
    public async Task Curl_with_http_2(string device)
    {
        ToolResult result = await WithOperationsAsync(device, OneByDevice, proxy => Tool.GetWithCurlAsync(proxy, devices.TrustedFile, "--http2"));
        Assert.EndsWith("HTTP/2 200", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(BothDevices.Embedded, "RSA-PSS+SHA256", "SHA256")]
    [InlineData(BothDevices.Embedded, "RSA-PSS+SHA384", "SHA384")]
    [InlineData(BothDevices.Embedded, "RSA-PSS+SHA512", "SHA512")]
    [InlineData(BothDevices.Emulator, "RSA-PSS+SHA256", "SHA256")]
    [InlineData(BothDevices.Emulator, "RSA-PSS+SHA384", "SHA384")]
    [InlineData(BothDevices.Emulator, "RSA-PSS+SHA512", "SHA512")]
    public async Task Tls_1_3(string device, string algorithm, string digest)
    {
        ToolResult result = await WithOperationsAsync(
            device, OneByDevice, proxy => Tool.GetWithOpenSslAsync(proxy, devices.TrustedFile, "-tls1_3", "-sigalgs", algorithm));
        Assert.Contains("New, TLSv1.3", result.Output, StringComparison.Ordinal);
        Assert.Contains("Peer signature type: RSA-PSS", result.Output, StringComparison.Ordinal);
        Assert.Contains($"Peer signing digest: {digest}", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(BothDevices.Embedded, "RSA+SHA256", "RSA", "SHA256")]
    [InlineData(BothDevices.Embedded, "RSA+SHA384", "RSA", "SHA384")]
    [InlineData(BothDevices.Embedded, "RSA+SHA512", "RSA", "SHA512")]
    [InlineData(BothDevices.Embedded, "RSA-PSS+SHA256", "RSA-PSS", "SHA256")]
    [InlineData(BothDevices.Emulator, "RSA+SHA256", "RSA", "SHA256")]
    [InlineData(BothDevices.Emulator, "RSA+SHA384", "RSA", "SHA384")]
    [InlineData(BothDevices.Emulator, "RSA+SHA512", "RSA", "SHA512")]
    [InlineData(BothDevices.Emulator, "RSA-PSS+SHA256", "RSA-PSS", "SHA256")]
    public async Task Tls_1_2_with_ephemeral_keys(string device, string algorithm, string type, string digest)
    {
        ToolResult result = await WithOperationsAsync(
            device, OneByDevice, proxy => Tool.GetWithOpenSslAsync(proxy, devices.TrustedFile, "-tls1_2", "-sigalgs", algorithm));
        Assert.Contains("New, TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256", result.Output, StringComparison.Ordinal);
        Assert.Contains($"Peer signature type: {type}\n", result.Output, StringComparison.Ordinal);
        Assert.Contains($"Peer signing digest: {digest}\n", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(BothDevices.Embedded)]
    [InlineData(BothDevices.Emulator)]
    public async Task Tls_1_2_with_rsa_key_exchange(string device)
    {
        ToolResult result = await WithOperationsAsync(
            device, OneByDevice, proxy => Tool.GetWithOpenSslAsync(proxy, devices.TrustedFile, "-tls1_2", "-cipher", "AES128-GCM-SHA256"));
        Assert.Contains("Cipher is AES128-GCM-SHA256", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Connection_ends_with_close_notify(string version)
    {
        // s_client fails when a connection ends without: somebody may have cut it off (RFC 8446 6.1).
        ToolResult result = await Tool.GetWithOpenSslAsync(devices.Proxy(BothDevices.Embedded), devices.TrustedFile, version);
        Assert.DoesNotContain("unexpected eof", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
    }

    [Theory]
    [InlineData(BothDevices.Embedded)]
    [InlineData(BothDevices.Emulator)]
    public async Task Nothing_is_in_use_between_handshakes(string device)
    {
        await Eventually.TrueAsync("no leak", async () => (await devices.Proxy(device).StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
    }

    public void Dispose() => output.WriteLine(devices.Transcript());

    private async Task<ToolResult> WithOperationsAsync(string device, string expected, Func<ProxyProcess, Task<ToolResult>> run)
    {
        ProxyProcess proxy = devices.Proxy(device);
        OperationStatus before = (await proxy.StatusAsync()).Operations;
        ToolResult result = await run(proxy);
        Assert.Equal(expected, (await proxy.StatusAsync()).Operations.Since(before));
        return result;
    }
}
