using System.Net.Security;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Certificates that are replaced, added and taken away while clients connect.</summary>
public sealed class CertificateReloadTests(ITestOutputHelper output)
{
    private const string OftenLooking = "00:00:00.1";
    private const string NeverLooking = "01:00:00";

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData("rename")]
    [InlineData("in place")]
    [InlineData("link")]
    [InlineData("signal")]
    public async Task Renewed_certificate_is_served_without_a_restart(string way)
    {
        await using var scenario = new Scenario(output);
        using TestCertificate first = TestCertificate.Rsa(2048);
        using TestCertificate second = TestCertificate.Rsa(2048);
        WriteSecret(scenario, "..first", first);
        WriteSecret(scenario, "..second", second);
        Link(scenario, "..data", "..first");
        File.CreateSymbolicLink(scenario.File("tls.crt"), "..data/tls.crt");
        File.CreateSymbolicLink(scenario.File("tls.key"), "..data/tls.key");
        string trustedFirst = scenario.Write("first.pem", first.RootPem);
        string trustedSecond = scenario.Write("second.pem", second.RootPem);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario,
            ["--certificate", scenario.File("tls.crt"), "--key", scenario.File("tls.key")],
            Environment(way == "signal" ? NeverLooking : OftenLooking));
        await Tool.GetWithCurlAsync(proxy, trustedFirst);
        switch (way)
        {
            case "rename":
                File.WriteAllText(scenario.File("new.crt"), second.ChainPem);
                File.WriteAllText(scenario.File("new.key"), second.KeyPem);
                await proxy.Process.UnseenAsync(() =>
                {
                    File.Move(scenario.File("new.key"), scenario.File("tls.key"), overwrite: true);
                    File.Move(scenario.File("new.crt"), scenario.File("tls.crt"), overwrite: true);
                });
                break;
            case "in place":
                await proxy.Process.UnseenAsync(() =>
                {
                    File.WriteAllText(scenario.File("tls.crt"), second.ChainPem);
                    File.WriteAllText(scenario.File("tls.key"), second.KeyPem);
                });
                break;
            default:
                Link(scenario, "..data", "..second");
                break;
        }

        if (way == "signal")
        {
            Signals.Send(proxy.Process.Id, Signal.Hangup);
        }

        await ServesAsync(proxy, second.Certificate.Thumbprint);
        await Tool.GetWithCurlAsync(proxy, trustedSecond);
        Assert.DoesNotContain(proxy.Process.Output, static line => line.Contains("refused", StringComparison.Ordinal));
        await Eventually.TrueAsync("the key that is gone is erased", async () => (await proxy.StatusAsync()).Certificates.DeviceKeys == 1);
    }

    [Fact]
    public async Task Bad_pair_is_refused_with_one_sentence_while_the_old_one_serves()
    {
        await using var scenario = new Scenario(output);
        using TestCertificate good = TestCertificate.Rsa(2048);
        using TestCertificate other = TestCertificate.Ecdsa();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, good.WriteTo(scenario), Environment(OftenLooking));
        await proxy.Process.UnseenAsync(() => scenario.Write("key.pem", other.KeyPem));
        string sentence = $"refused, an earlier one stays in use: The key in '{scenario.File("key.pem")}' does not belong to the certificate in '{scenario.File("certificate.pem")}'.";
        await Eventually.TrueAsync(sentence, () => proxy.Process.Output.Any(line => line.EndsWith(sentence, StringComparison.Ordinal)));
        Assert.Equal(good.Certificate.Thumbprint, await ServedAsync(proxy));
        Assert.Equal((1, 1), await CountsAsync(proxy));
        await proxy.Process.UnseenAsync(() => other.WriteTo(scenario));
        await ServesAsync(proxy, other.Certificate.Thumbprint);
        Assert.Equal((1, 0), await CountsAsync(proxy));
        await proxy.Process.HearAsync(static line => line.Contains("refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Certificates_come_to_a_directory_and_go()
    {
        await using var scenario = new Scenario(output);
        using var issuer = new TestIssuer();
        (string certificate, string key, string defaultOne) = issuer.Issue(isRsa: true, "a.example");
        Directory.CreateDirectory(scenario.File("certs"));
        scenario.Write("certs/a.crt", certificate);
        scenario.Write("certs/a.key", key);
        string config = scenario.Write("config.json", $$"""{ "Certificates": { "many": { "Directory": "{{scenario.File("certs")}}" } } }""");
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", config], Environment(OftenLooking));
        Assert.Equal(defaultOne, await ServedAsync(proxy, "x.b.example"));
        (certificate, key, string added) = issuer.Issue(isRsa: false, "*.b.example");
        Directory.CreateDirectory(scenario.File("certs/b"));
        scenario.Write("certs/b/privkey.pem", key);
        scenario.Write("certs/b/fullchain.pem", certificate);
        await ServesAsync(proxy, added, "x.b.example");
        Assert.Equal(defaultOne, await ServedAsync(proxy));
        await proxy.Process.UnseenAsync(() => Directory.Delete(scenario.File("certs/b"), recursive: true));
        await ServesAsync(proxy, defaultOne, "x.b.example");
        Assert.Equal((1, 0), await CountsAsync(proxy));
    }

    [Fact]
    public async Task Crowd_of_clients_that_verify_sees_no_failure_during_twenty_reloads()
    {
        await using var scenario = new Scenario(output);
        using var issuer = new TestIssuer();
        WriteSecret(scenario, "..0", issuer.Issue(isRsa: true, "localhost"));
        Link(scenario, "..data", "..0");
        File.CreateSymbolicLink(scenario.File("tls.crt"), "..data/tls.crt");
        File.CreateSymbolicLink(scenario.File("tls.key"), "..data/tls.key");
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, ["--certificate", scenario.File("tls.crt"), "--key", scenario.File("tls.key")], Environment(OftenLooking));
        await using var crowd = new ClientCrowd(6, proxy.Url, issuer.Root);
        for (int i = 1; i <= 20; i++)
        {
            (string certificate, string key, string thumbprint) issued = issuer.Issue(isRsa: i % 5 != 0, "localhost");
            WriteSecret(scenario, $"..{i}", issued);
            Link(scenario, "..data", $"..{i}");
            await ServesAsync(proxy, issued.thumbprint);
            await crowd.ServeMoreAsync(5);
        }

        await crowd.StopAsync();
        Assert.Empty(crowd.Failures);
        Assert.DoesNotContain(proxy.Process.Output, static line => line.Contains("refused", StringComparison.Ordinal));

        // The last one is ECDSA: of all the others' keys nothing is left, neither here nor in the device.
        await Eventually.TrueAsync("the keys that are gone are erased", async () => (await proxy.StatusAsync()).Certificates.DeviceKeys == 0);
        await Eventually.TrueAsync("nothing is in use", async () => (await proxy.StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
    }

    private static Dictionary<string, string> Environment(string interval) =>
        new(ProxyProcess.LongDeadline) { ["WARPPROXY_Files__Interval"] = interval };

    private static void WriteSecret(Scenario scenario, string folder, TestCertificate certificate) =>
        WriteSecret(scenario, folder, (certificate.ChainPem, certificate.KeyPem, ""));

    private static void WriteSecret(Scenario scenario, string folder, (string Certificate, string Key, string Thumbprint) issued)
    {
        Directory.CreateDirectory(scenario.File(folder));
        scenario.Write($"{folder}/tls.crt", issued.Certificate);
        scenario.Write($"{folder}/tls.key", issued.Key);
    }

    /// <summary>As Kubernetes does it: one rename replaces the link. (.NET would rename what it leads to.)</summary>
    private static void Link(Scenario scenario, string name, string target)
    {
        string temporary = scenario.File(name + "_tmp");
        File.CreateSymbolicLink(temporary, target);
        Assert.Equal(0, Signals.Rename(temporary, scenario.File(name)));
    }

    private static async Task<(int Count, int Refused)> CountsAsync(ProxyProcess proxy)
    {
        CertificateStatus status = (await proxy.StatusAsync()).Certificates;
        return (status.Count, status.Refused);
    }

    private static Task ServesAsync(ProxyProcess proxy, string thumbprint, string name = "localhost") =>
        Eventually.TrueAsync($"certificate {thumbprint} is served", async () => await ServedAsync(proxy, name) == thumbprint);

    /// <summary>The thumbprint of the certificate that a full handshake shows.</summary>
    private static async Task<string> ServedAsync(ProxyProcess proxy, string name = "localhost")
    {
        using var client = new TcpClient();
        await client.ConnectAsync(proxy.Url.Host, proxy.Url.Port);
        await using var tls = new SslStream(client.GetStream());
        string thumbprint = "";
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                // Whoever it is: the test says which one it must be.
                thumbprint = certificate!.GetCertHashString();
                return thumbprint.Length > 0;
            },
        });
        return thumbprint;
    }
}
