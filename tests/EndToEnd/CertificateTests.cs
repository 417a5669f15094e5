using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Certificates and keys of every kind that is allowed, served and verified by a real client.</summary>
public sealed class CertificateTests(ITestOutputHelper output)
{
    private const string Password = "correct horse, pâté";

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(3072)]
    [InlineData(4096)]
    public async Task Longer_rsa_key_is_used_by_the_device(int bits)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(bits);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario), ProxyProcess.LongDeadline);
        ToolResult result = await Tool.GetWithOpenSslAsync(proxy, scenario.File("root.pem"));
        Assert.Contains($"Server public key is {bits} bit", result.Output, StringComparison.Ordinal);
        await AssertOperationsAsync(proxy, 1);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Ecdsa_key_needs_no_device()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Ecdsa();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario));
        ToolResult result = await Tool.GetWithOpenSslAsync(proxy, scenario.File("root.pem"));
        Assert.Contains("Peer signature type: ECDSA", result.Output, StringComparison.Ordinal);
        await AssertOperationsAsync(proxy, 0);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Intermediate_is_sent_along()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.WithIntermediate();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario), ProxyProcess.LongDeadline);

        // The client trusts the root alone, so that it verifies at all says that it was given the intermediate.
        ToolResult result = await Tool.GetWithOpenSslAsync(proxy, scenario.File("root.pem"), "-showcerts");
        Assert.Contains("Test intermediate", result.Output, StringComparison.Ordinal);
        await AssertOperationsAsync(proxy, 1);
    }

    [DebianPackageFact("curl", Tool.Curl)]
    public async Task Pkcs1_key_is_read()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await ServeAsync(scenario, certificate, certificate.Pkcs1KeyPem, []);
    }

    [DebianPackageFact("curl", Tool.Curl)]
    public async Task Key_and_certificate_may_share_a_file()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        scenario.Write("root.pem", certificate.RootPem);
        string both = scenario.Write("both.pem", certificate.KeyPem + certificate.ChainPem);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--certificate", both], ProxyProcess.LongDeadline);
        await Tool.GetWithCurlAsync(proxy, scenario.File("root.pem"));
        await AssertOperationsAsync(proxy, 1);
    }

    [DebianPackageFact("curl", Tool.Curl)]
    public async Task Encrypted_key_is_opened_with_the_password_in_a_file()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        string file = scenario.Write("password", Password + "\nsecond line\n");
        await ServeAsync(scenario, certificate, certificate.EncryptedKeyPem(Password), ["--key-password-file", file]);
    }

    [DebianPackageFact("curl", Tool.Curl)]
    public async Task Encrypted_key_is_opened_with_the_password_in_the_environment()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        var environment = new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_KEY_PASSWORD"] = Password };
        await ServeAsync(scenario, certificate, certificate.EncryptedKeyPem(Password), [], environment);
    }

    [DebianPackageFact("curl", Tool.Curl)]
    public async Task Development_certificate_is_made_once_and_kept()
    {
        await using var scenario = new Scenario(output);
        string trusted = Path.Combine(scenario.File("data"), "warpproxy", "localhost.pem");
        await using (ProxyProcess first = await ProxyProcess.StartAsync(scenario, [], ProxyProcess.LongDeadline))
        {
            await Tool.GetWithCurlAsync(first, trusted);
        }

        string made = await File.ReadAllTextAsync(trusted);
        await using ProxyProcess second = await ProxyProcess.StartAsync(scenario, [], ProxyProcess.LongDeadline);
        Assert.Equal(made, await File.ReadAllTextAsync(trusted));
        await Tool.GetWithCurlAsync(second, trusted);
        await AssertOperationsAsync(second, 1);
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(trusted)!))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    private static async Task ServeAsync(
        Scenario scenario, TestCertificate certificate, string keyPem, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        string[] all = [.. certificate.WriteTo(scenario), .. arguments];
        scenario.Write("key.pem", keyPem);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, all, environment ?? ProxyProcess.LongDeadline);
        await Tool.GetWithCurlAsync(proxy, scenario.File("root.pem"));
        await AssertOperationsAsync(proxy, 1);
    }

    private static async Task AssertOperationsAsync(ProxyProcess proxy, int device) =>
        Assert.Equal($"device {device}, software 0", (await proxy.StatusAsync()).Operations.Since(new OperationStatus(0, 0, [])));
}
