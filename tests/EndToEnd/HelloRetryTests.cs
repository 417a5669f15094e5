using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>A client whose key share the server refuses says hello twice; the signature comes with the second, which the proxy has not buffered.</summary>
public sealed class HelloRetryTests(ITestOutputHelper output)
{
    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Emulator)]
    [InlineData(EveryPath.Software)]
    public async Task Hello_retry_request(string path)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        EmulatorProcess? emulator = path == EveryPath.Emulator ? await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock")) : null;
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario,
            [.. certificate.WriteTo(scenario), "--device", emulator?.DeviceUri ?? "embedded:", "--path", path == EveryPath.Software ? "software" : "device"],
            new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_Protocol__Groups"] = "secp256r1" });
        if (path != EveryPath.Software)
        {
            await proxy.HasQueuesAsync();
        }

        ToolResult result = await Tool.GetWithOpenSslAsync(proxy, scenario.File("root.pem"), "-tls1_3", "-groups", "X25519:P-256", "-msg");

        Assert.Equal(2, Regex.Count(result.Output, ">>> TLS 1.3, Handshake .*ClientHello"));
        Assert.Contains("Server Temp Key: ECDH, prime256v1", result.Output, StringComparison.Ordinal);
        Assert.Equal(EveryPath.Operations(path, 1), (await proxy.StatusAsync()).Operations.Since(new OperationStatus(0, 0, [])));
    }
}
