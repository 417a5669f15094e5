using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>OCSP responses in files, as clients of the running proxy get them.</summary>
public sealed class OcspTests : IAsyncLifetime, IDisposable
{
    private const string NoResponse = "OCSP response: no response sent";
    private const string ForRsa = "RSA-PSS+SHA256:RSA+SHA256";
    private const string ForEcdsa = "ECDSA+SHA256";

    private readonly Scenario _scenario;
    private readonly TestAuthority _root = TestAuthority.Root("Site root");
    private readonly TestAuthority _issuing;
    private readonly X509Certificate2 _rsa;
    private readonly X509Certificate2 _ecdsa;

    public OcspTests(ITestOutputHelper output)
    {
        _scenario = new Scenario(output);
        _issuing = _root.Intermediate("Site issuing");
        _rsa = _issuing.Issue("localhost", TestAuthority.ForServers, isRsa: true);
        _ecdsa = _issuing.Issue("localhost", TestAuthority.ForServers);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _scenario.DisposeAsync();

    public void Dispose()
    {
        _rsa.Dispose();
        _ecdsa.Dispose();
        _issuing.Dispose();
        _root.Dispose();
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("device")]
    [InlineData("software")]
    public async Task Each_certificate_of_a_name_has_its_response_and_a_new_file_is_a_new_response(string path)
    {
        WriteCertificate("rsa", _rsa);
        WriteCertificate("ecdsa", _ecdsa);
        WriteResponse("rsa", _issuing.OcspResponse(_rsa));
        WriteResponse("ecdsa", _issuing.OcspResponse(_ecdsa));
        await using ProxyProcess proxy = await StartAsync("--path", path);
        foreach (string version in new[] { "-tls1_2", "-tls1_3" })
        {
            foreach ((string algorithms, X509Certificate2 expected) in new[] { (ForRsa, _rsa), (ForEcdsa, _ecdsa) })
            {
                string said = await AskAsync(proxy, version, algorithms);
                Assert.Contains($"Serial Number: {expected.SerialNumber}", said, StringComparison.Ordinal);
                Assert.Contains("Cert Status: good", said, StringComparison.Ordinal);
                Assert.Contains("Verification: OK", said, StringComparison.Ordinal);
            }
        }

        // One changes, the other stays.
        DateTimeOffset end = DateTimeOffset.UtcNow.AddDays(100);
        WriteResponse("rsa", _issuing.OcspResponse(_rsa, nextUpdate: end));
        string next = $"Next Update: {end.UtcDateTime.ToString("MMM d HH:mm:ss yyyy", System.Globalization.CultureInfo.InvariantCulture)} GMT";
        await Eventually.TrueAsync("the new response is stapled", async () => Normalize(await AskAsync(proxy, "-tls1_3", ForRsa)).Contains(next, StringComparison.Ordinal));
        Assert.DoesNotContain(next, Normalize(await AskAsync(proxy, "-tls1_3", ForEcdsa)), StringComparison.Ordinal);

        // A bad one leaves the good one.
        WriteResponse("rsa", [1, 2, 3]);
        await Eventually.TrueAsync("the bad file is told", () => proxy.Process.Output.Any(static line => line.Contains("It is not an OCSP response in DER.", StringComparison.Ordinal)));
        Assert.Contains(next, Normalize(await AskAsync(proxy, "-tls1_2", ForRsa)), StringComparison.Ordinal);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Response_that_openssl_writes_is_stapled_and_verified_by_its_client()
    {
        WriteCertificate("rsa", _rsa);
        WriteCertificate("ecdsa", _ecdsa);
        WriteResponse("ecdsa", _issuing.OcspResponse(_ecdsa));
        string issuer = _scenario.Write("issuer.pem", _issuing.Pem);
        using ECDsa issuerKey = _issuing.Certificate.GetECDsaPrivateKey()!;
        string key = _scenario.Write("issuer-key.pem", issuerKey.ExportPkcs8PrivateKeyPem());
        string index = _scenario.Write("index.txt", $"V\t400101000000Z\t\t{_rsa.SerialNumber}\tunknown\t/CN=localhost\n");
        ToolResult asked = await Tool.RunAsync(Tool.OpenSsl, ["ocsp", "-issuer", issuer, "-cert", _scenario.File("rsa.pem"), "-no_nonce", "-reqout", _scenario.File("request")]);
        Assert.True(asked.ExitCode == 0, asked.ToString());
        ToolResult answered = await Tool.RunAsync(
            Tool.OpenSsl,
            [
                "ocsp", "-index", index, "-CA", issuer, "-rsigner", issuer, "-rkey", key, "-reqin", _scenario.File("request"),
                "-ndays", "7", "-respout", _scenario.File("rsa.ocsp"),
            ]);
        Assert.True(answered.ExitCode == 0, answered.ToString());

        await using ProxyProcess proxy = await StartAsync();
        string said = await AskAsync(proxy, "-tls1_3", ForRsa);
        Assert.Contains("OCSP Response Status: successful", said, StringComparison.Ordinal);
        Assert.Contains("Cert Status: good", said, StringComparison.Ordinal);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Expired_response_is_not_stapled_and_told_with_the_certificate_that_must_have_one()
    {
        using X509Certificate2 mustStaple = _issuing.Issue("localhost", TestAuthority.ForServers, isRsa: true, mustStaple: true);
        WriteCertificate("rsa", mustStaple);
        WriteCertificate("ecdsa", _ecdsa);
        DateTimeOffset now = DateTimeOffset.UtcNow;
        WriteResponse("rsa", _issuing.OcspResponse(mustStaple, thisUpdate: now.AddDays(-2), nextUpdate: now.AddDays(-1)));
        WriteResponse("ecdsa", _issuing.OcspResponse(_ecdsa));
        await using ProxyProcess proxy = await StartAsync();
        Assert.Contains(NoResponse, await AskAsync(proxy, "-tls1_3", ForRsa), StringComparison.Ordinal);
        Assert.Contains("Cert Status: good", await AskAsync(proxy, "-tls1_3", ForEcdsa), StringComparison.Ordinal);
        await proxy.Process.HearAsync(static line => line.Contains("it is not stapled until a new one is there", StringComparison.Ordinal));
        await proxy.Process.HearAsync(static line => line.Contains("(must-staple), and there is no valid one", StringComparison.Ordinal));

        WriteResponse("rsa", _issuing.OcspResponse(mustStaple));
        await Eventually.TrueAsync("the new response is stapled", async () => (await AskAsync(proxy, "-tls1_3", ForRsa)).Contains("Cert Status: good", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("missing", "OCSP file 'OCSP' does not exist.")]
    [InlineData("text", "OCSP file 'OCSP' cannot be stapled to the certificate in 'CERTIFICATE': It is not an OCSP response in DER.")]
    [InlineData("other", "OCSP file 'OCSP' cannot be stapled to the certificate in 'CERTIFICATE': It is about another certificate.")]
    [InlineData("directory", "OCSP file 'OCSP' cannot be read: it is a directory.")]
    public async Task Bad_response_ends_the_start_with_one_sentence(string kind, string sentence)
    {
        WriteCertificate("rsa", _rsa);
        WriteCertificate("ecdsa", _ecdsa);
        WriteResponse("ecdsa", _issuing.OcspResponse(_ecdsa));
        string file = _scenario.File("rsa.ocsp");
        switch (kind)
        {
            case "text":
                await File.WriteAllTextAsync(file, "no response");
                break;
            case "other":
                await File.WriteAllBytesAsync(file, _issuing.OcspResponse(_ecdsa));
                break;
            case "directory":
                Directory.CreateDirectory(file);
                break;
        }

        RunningProcess proxy = _scenario.Start(
            Executable.Proxy, ["--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--config", WriteConfig(), "--device", "none"]);
        Assert.Equal(2, await proxy.WaitForExitAsync(TimeSpan.FromMinutes(2)));
        string expected = sentence.Replace("OCSP'", $"{file}'", StringComparison.Ordinal).Replace("CERTIFICATE", _scenario.File("rsa.pem"), StringComparison.Ordinal);
        Assert.EndsWith(expected, Assert.Single(proxy.Errors), StringComparison.Ordinal);
    }

    private static string Normalize(string said) => said.Replace("  ", " ", StringComparison.Ordinal);

    private async Task<string> AskAsync(ProxyProcess proxy, string version, string algorithms)
    {
        ToolResult result = await Tool.RunAsync(
            Tool.OpenSsl,
            ["s_client", "-connect", proxy.HostAndPort, "-servername", "localhost", "-CAfile", _scenario.File("root.pem"), version, "-status", "-sigalgs", algorithms]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    private Task<ProxyProcess> StartAsync(params string[] arguments) =>
        ProxyProcess.StartAsync(_scenario, ["--config", WriteConfig(), .. arguments]);

    private string WriteConfig()
    {
        _scenario.Write("root.pem", _root.Pem);
        return _scenario.Write("proxy.json", $$"""
            {
              "Offload": { "Deadline": "00:00:10" },
              "Files": { "Interval": "00:00:00.1" },
              "Certificates": {
                "rsa": { "File": "{{_scenario.File("rsa.pem")}}", "OcspFile": "{{_scenario.File("rsa.ocsp")}}" },
                "ecdsa": { "File": "{{_scenario.File("ecdsa.pem")}}", "OcspFile": "{{_scenario.File("ecdsa.ocsp")}}" }
              }
            }
            """);
    }

    private void WriteCertificate(string name, X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        _scenario.Write($"{name}.pem", $"{certificate.ExportCertificatePem()}\n{_issuing.Pem}{key.ExportPkcs8PrivateKeyPem()}\n");
    }

    /// <summary>In one step, as whoever renews it should.</summary>
    private void WriteResponse(string name, byte[] response)
    {
        File.WriteAllBytes(_scenario.File($"{name}.new"), response);
        File.Move(_scenario.File($"{name}.new"), _scenario.File($"{name}.ocsp"), overwrite: true);
    }
}
