using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>One name with an RSA certificate and an ECDSA certificate: what the client can verify decides; ECDSA when it can verify both.</summary>
public sealed class CertificateChoiceTests(ITestOutputHelper output)
{
    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("ECDSA", "-tls1_3")]
    [InlineData("ECDSA", "-tls1_2")]
    [InlineData("ECDSA", "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256")]
    [InlineData("ECDSA", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData("ECDSA", "-tls1_3", "-sigalgs", "ecdsa_secp256r1_sha256")]
    [InlineData("RSA-PSS", "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256")]
    [InlineData("RSA-PSS", "-tls1_2", "-sigalgs", "rsa_pss_rsae_sha256")]
    [InlineData("RSA", "-tls1_2", "-sigalgs", "RSA+SHA256")]
    [InlineData("RSA-PSS", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData("ECDSA", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    public async Task Client_decides_by_what_it_can_verify(string signature, params string[] client)
    {
        await using var scenario = new Scenario(output);
        using var issuer = new TestIssuer();
        string trusted = scenario.Write("root.pem", issuer.RootPem);
        string rsa = Write(scenario, "rsa", issuer.Issue(isRsa: true, "localhost"));
        string ecdsa = Write(scenario, "ecdsa", issuer.Issue(isRsa: false, "localhost"));

        // The RSA certificate is named first: that makes it no better.
        string config = scenario.Write("config.json", $$"""
            { "Certificates": { "a": { "File": "{{rsa}}" }, "b": { "File": "{{ecdsa}}" } } }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", config], ProxyProcess.LongDeadline);
        ToolResult result = await Tool.GetWithOpenSslAsync(proxy, trusted, ["-servername", "localhost", .. client]);
        Assert.Contains($"Peer signature type: {signature}\n", result.Output, StringComparison.Ordinal);
        OperationStatus operations = (await proxy.StatusAsync()).Operations;
        Assert.Equal((signature == "ECDSA" ? 0 : 1, 0), (operations.Device, operations.Software));
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Path_of_one_certificate_is_another_than_that_of_the_rest()
    {
        await using var scenario = new Scenario(output);
        using var issuer = new TestIssuer();
        string trusted = scenario.Write("root.pem", issuer.RootPem);
        string device = Write(scenario, "device", issuer.Issue(isRsa: true, "device.example"));
        string software = Write(scenario, "software", issuer.Issue(isRsa: true, "software.example"));
        string config = scenario.Write("config.json", $$"""
            {
              "Offload": { "Path": "software", "Deadline": "00:00:10" },
              "Certificates": { "device": { "File": "{{device}}", "Path": "device" }, "software": { "File": "{{software}}" } }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", config], new Dictionary<string, string>());
        foreach ((string name, string operations) in new[] { ("device", "device 1, software 0"), ("software", "device 1, software 1") })
        {
            await Tool.GetWithOpenSslAsync(proxy, trusted, "-servername", $"{name}.example");
            Assert.Equal(operations, (await proxy.StatusAsync()).Operations.Since(new OperationStatus(0, 0, [])));
        }
    }

    private static string Write(Scenario scenario, string name, (string Certificate, string Key, string Thumbprint) issued) =>
        scenario.Write($"{name}.pem", issued.Certificate + issued.Key);
}
