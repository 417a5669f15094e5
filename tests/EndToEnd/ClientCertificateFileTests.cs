using System.Text.RegularExpressions;
using System.Security.Cryptography.X509Certificates;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Files for client certificates that cannot be used, and the examples of the documents, which can.</summary>
public sealed partial class ClientCertificateFileTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(null, null, "CA file 'CA' does not exist.")]
    [InlineData("hello", null, "CA file 'CA' has no certificate; it must have a block -----BEGIN CERTIFICATE-----.")]
    [InlineData("good", "hello", "CRL file 'CRL' has no revocation list; it must have a block -----BEGIN X509 CRL-----, or be one in DER.")]
    [InlineData("good", "impostor", "CA file 'CA' and CRL file 'CRL' cannot be used: The revocation list of CN=Clients is not signed by the authority of that name.")]
    public async Task Bad_file_ends_the_start_with_one_sentence(string? authorities, string? lists, string sentence)
    {
        await using var scenario = new Scenario(output);
        using TestAuthority root = TestAuthority.Root("Clients");
        using TestAuthority impostor = TestAuthority.Root("Clients");
        using var certificate = TestCertificate.Ecdsa();
        if (authorities is not null)
        {
            scenario.Write("ca.pem", authorities == "good" ? root.Pem : authorities);
        }

        string crl = "";
        if (lists is not null)
        {
            crl = $", \"CrlFile\": \"{scenario.Write("crl.pem", lists == "impostor" ? impostor.RevocationListPem(null) : lists)}\"";
        }

        string config = scenario.Write("proxy.json", $$"""{ "ClientCertificates": { "Mode": "optional", "CaFile": "{{scenario.File("ca.pem")}}"{{crl}} } }""");
        RunningProcess proxy = scenario.Start(
            Executable.Proxy,
            ["--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--device", "none", "--config", config, .. certificate.WriteTo(scenario)]);
        Assert.Equal(2, await proxy.WaitForExitAsync(TimeSpan.FromMinutes(2)));
        string expected = sentence.Replace("'CA'", $"'{scenario.File("ca.pem")}'", StringComparison.Ordinal).Replace("'CRL'", $"'{scenario.File("crl.pem")}'", StringComparison.Ordinal);
        Assert.EndsWith(expected, Assert.Single(proxy.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("docs/client-certificates.md")]
    [InlineData("docs/ocsp.md")]
    public async Task Example_of_the_document_serves(string document)
    {
        await using var scenario = new Scenario(output);
        using TestAuthority root = TestAuthority.Root("Root");
        using TestAuthority issuing = root.Intermediate("Issuing");
        scenario.Write("partners-ca.pem", root.Pem);
        scenario.Write("partners-crl.pem", root.RevocationListPem(null));
        foreach ((string name, bool isRsa) in new[] { ("site", true), ("site-rsa", true), ("site-ecdsa", false) })
        {
            using X509Certificate2 certificate = issuing.Issue("localhost", TestAuthority.ForServers, isRsa: isRsa);
            using System.Security.Cryptography.AsymmetricAlgorithm key =
                (System.Security.Cryptography.AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
            scenario.Write($"{name}.pem", certificate.ExportCertificatePem() + "\n" + issuing.Pem);
            scenario.Write($"{name}.key", key.ExportPkcs8PrivateKeyPem());
            await File.WriteAllBytesAsync(scenario.File($"{name}.ocsp"), issuing.OcspResponse(certificate));
        }

        string text = await File.ReadAllTextAsync(Executable.RepositoryFile(document));
        string example = Example().Match(text).Groups[1].Value.Replace("/etc/warpproxy", Path.GetDirectoryName(scenario.File("x")), StringComparison.Ordinal);
        string config = scenario.Write("proxy.json", Url().Replace(example, "https://127.0.0.1:0"));
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", config, "--device", "none"]);
        Assert.Empty(proxy.Process.Errors);
        Assert.DoesNotContain(proxy.Process.Output, static line => line.Contains("warn", StringComparison.OrdinalIgnoreCase));
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"https://\*:\d+")]
    private static partial Regex Url();
}
