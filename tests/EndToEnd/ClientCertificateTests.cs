using System.Security.Cryptography.X509Certificates;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Clients with certificates, good and bad, and what the upstream learns of them.</summary>
public sealed class ClientCertificateTests(VerifyingProxies proxies, ITestOutputHelper output) : IClassFixture<VerifyingProxies>, IDisposable
{
    // In every spelling that a server might take for the header.
    private static readonly string[] Forged =
    [
        "-H", "Client-Cert: :forged:", "-H", "client_cert: :forged:", "-H", "Client-Cert-Chain: :forged:", "-H", "Client_Cert-Chain: :forged:",
        "-H", "X-Client: :forged:", "-H", "X_Client: :forged:", "-H", "Connection: Client-Cert",
    ];

    public void Dispose() => output.WriteLine(proxies.Transcript());

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(VerifyingProxies.Device, "--http1.1", "1.2", "good")]
    [InlineData(VerifyingProxies.Device, "--http2", "1.3", "rsa")]
    [InlineData(VerifyingProxies.Software, "--http1.1", "1.3", "good")]
    [InlineData(VerifyingProxies.Software, "--http2", "1.2", "rsa")]
    public async Task Upstream_learns_the_verified_chain_and_nothing_that_the_client_forged(string path, string http, string version, string client)
    {
        using X509Certificate2 certificate = VerifyingProxies.Load(proxies.Client(client));
        Uri[] urls = proxies.Urls(path);
        ToolResult required = await proxies.GetHeadersAsync(urls[0], client, [http, "--tls-max", version, .. Forged]);
        Assert.Equal(
            [
                $"Client-Cert-Chain: :{Convert.ToBase64String(proxies.Issuing.Certificate.RawData)}:",
                $"Client-Cert: :{Convert.ToBase64String(certificate.RawData)}:",
            ],
            ClientHeaders(required));
        Assert.DoesNotContain("forged", required.Output, StringComparison.Ordinal);

        // Under another name, and without the chain.
        ToolResult optional = await proxies.GetHeadersAsync(urls[1], client, [http, "--tls-max", version, .. Forged]);
        Assert.Equal([$"X-Client: :{Convert.ToBase64String(certificate.RawData)}:"], ClientHeaders(optional));
    }

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(VerifyingProxies.Device, "--http1.1")]
    [InlineData(VerifyingProxies.Software, "--http2")]
    public async Task Who_was_not_verified_has_no_such_header_on_any_listener(string path, string http)
    {
        Uri[] urls = proxies.Urls(path);
        foreach ((Uri url, string? client) in new[] { (urls[1], (string?)null), (urls[2], null), (urls[2], "good"), (urls[3], null) })
        {
            ToolResult result = await proxies.GetHeadersAsync(url, client, [http, .. Forged]);
            Assert.True(result.ExitCode == 0, result.ToString());
            Assert.Contains("Host: ", result.Output, StringComparison.Ordinal);
            Assert.Empty(ClientHeaders(result));
            Assert.DoesNotContain("forged", result.Output, StringComparison.Ordinal);
        }
    }

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(VerifyingProxies.Device, "1.3", null, "not_given")]
    [InlineData(VerifyingProxies.Device, "1.2", "stranger", "unknown_authority")]
    [InlineData(VerifyingProxies.Device, "1.3", "expired", "expired")]
    [InlineData(VerifyingProxies.Device, "1.2", "revoked", "revoked")]
    [InlineData(VerifyingProxies.Software, "1.2", null, "not_given")]
    [InlineData(VerifyingProxies.Software, "1.3", "stranger", "unknown_authority")]
    [InlineData(VerifyingProxies.Software, "1.2", "expired", "expired")]
    [InlineData(VerifyingProxies.Software, "1.3", "revoked", "revoked")]
    [InlineData(VerifyingProxies.Software, "1.3", "server", "wrong_purpose")]
    public async Task Refused_client_is_counted_by_reason(string path, string version, string? client, string reason)
    {
        long before = (await proxies.RefusedAsync(path)).GetValueOrDefault(reason);
        ToolResult result = await proxies.GetHeadersAsync(proxies.Urls(path)[0], client, "--tls-max", version);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal("", result.Output);

        // The alert arrives, whatever the client was sending. Of certificate_expired in TLS 1.2 curl has words of its own.
        Assert.Contains(version == "1.2" && reason == "expired" ? "(60)" : " alert ", result.Error, StringComparison.Ordinal);
        await Eventually.TrueAsync($"one more is {reason}", async () => (await proxies.RefusedAsync(path)).GetValueOrDefault(reason) == before + 1);

        string name = string.Concat(reason.Split('_').Select(static word => char.ToUpperInvariant(word[0]) + word[1..]));
        await Eventually.TrueAsync(
            "the log says so", () => proxies.Proxy(path).Process.Output.Any(line => line.Contains($": client certificate refused ({name}): ", StringComparison.Ordinal)));

        // Where a certificate is optional, a bad one is as bad.
        ToolResult optional = await proxies.GetHeadersAsync(proxies.Urls(path)[1], client, "--tls-max", version);
        Assert.Equal(client is null, optional.ExitCode == 0);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2", null, "handshake failure")]
    [InlineData("-tls1_3", null, "certificate required")]
    [InlineData("-tls1_2", "stranger", "unknown ca")]
    [InlineData("-tls1_3", "stranger", "unknown ca")]
    [InlineData("-tls1_3", "expired", "certificate expired")]
    [InlineData("-tls1_3", "revoked", "certificate revoked")]
    [InlineData("-tls1_3", "server", "unsupported certificate")]
    public async Task Refused_client_is_told_by_the_alert_that_says_why(string version, string? client, string alert)
    {
        string[] shown = client is null ? [] : ["-cert", proxies.Client(client), "-key", proxies.Client(client), "-cert_chain", proxies.Client(client)];
        await using SClient refused = SClient.Start(proxies.Proxy(VerifyingProxies.Device), [version, .. shown]);
        await refused.EndsAsync();
        Assert.Contains($"alert {alert}", refused.Said, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(VerifyingProxies.Device, "-tls1_2", true)]
    [InlineData(VerifyingProxies.Device, "-tls1_3", true)]
    [InlineData(VerifyingProxies.Device, "-tls1_3", false)]
    [InlineData(VerifyingProxies.Software, "-tls1_2", false)]
    [InlineData(VerifyingProxies.Software, "-tls1_3", true)]
    public async Task Resumed_session_brings_the_certificate_to_the_upstream_as_well(string path, string version, bool isIssuerKnown)
    {
        // Where the root alone is trusted, the issuing authority is missing when only the ticket is there: the client has to show all again.
        Uri url = proxies.Urls(path)[isIssuerKnown ? 1 : 0];
        string header = isIssuerKnown ? "X-Client" : "Client-Cert";
        string session = proxies.File($"session-{path}{version}-{header}");
        ToolResult first = await ResumeAsync(url, "good", version, "-sess_out", session);
        ToolResult second = await ResumeAsync(url, "good", version, "-sess_in", session);
        using X509Certificate2 certificate = VerifyingProxies.Load(proxies.Client("good"));
        foreach (ToolResult result in new[] { first, second })
        {
            Assert.Contains($"{header}: :{Convert.ToBase64String(certificate.RawData)}:", result.Output, StringComparison.Ordinal);
        }

        Assert.Contains(isIssuerKnown ? "\nReused, " : "\nNew, ", second.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(VerifyingProxies.Device)]
    [InlineData(VerifyingProxies.Software)]
    public async Task New_revocation_list_takes_effect_and_a_bad_one_does_not(string path)
    {
        Uri url = proxies.Urls(path)[0];
        using X509Certificate2 later = VerifyingProxies.Load(proxies.Client("later"));
        using X509Certificate2 revoked = VerifyingProxies.Load(proxies.Client("revoked"));
        Assert.Equal(0, (await proxies.GetHeadersAsync(url, "later")).ExitCode);
        string session = proxies.File($"session-{path}-later");
        Uri optional = proxies.Urls(path)[1];
        await ResumeAsync(optional, "later", "-tls1_3", "-sess_out", session);

        proxies.WriteRevocationLists(path, revoked, later);
        await Eventually.TrueAsync("the client is refused", async () => (await proxies.GetHeadersAsync(url, "later")).ExitCode != 0);
        Assert.Equal(0, (await proxies.GetHeadersAsync(url, "good")).ExitCode);

        // Each listener has authorities of its own, and reads the lists itself.
        await Eventually.TrueAsync("the other listener refuses it too", async () => (await proxies.GetHeadersAsync(optional, "later")).ExitCode != 0);

        // Nor by a ticket of before, whose key is still there.
        ToolResult ticket = await ResumeAsync(optional, "later", "-tls1_3", "-sess_in", session);
        Assert.Contains("alert certificate revoked", ticket.Error, StringComparison.Ordinal);

        File.WriteAllText(proxies.CrlFile(path), "nothing");
        await Eventually.TrueAsync("the bad file is told", () => proxies.Proxy(path).Process.Output.Any(static line =>
            line.Contains("Changed files for client certificates not taken", StringComparison.Ordinal) && line.Contains("has no revocation list", StringComparison.Ordinal)));
        Assert.NotEqual(0, (await proxies.GetHeadersAsync(url, "later")).ExitCode);
        Assert.Equal(0, (await proxies.GetHeadersAsync(url, "good")).ExitCode);

        proxies.WriteRevocationLists(path, revoked);
        await Eventually.TrueAsync("the client is let in again", async () => (await proxies.GetHeadersAsync(url, "later")).ExitCode == 0);
    }

    private static string[] ClientHeaders(ToolResult result) =>
    [
        .. result.Output.Split('\n').Where(static line => line.Replace('_', '-').Split(':')[0] is var name
            && (name.StartsWith("Client-Cert", StringComparison.OrdinalIgnoreCase) || name.Equals("X-Client", StringComparison.OrdinalIgnoreCase))).Order(StringComparer.Ordinal),
    ];

    private Task<ToolResult> ResumeAsync(Uri url, string client, string version, params string[] arguments) => Tool.RunAsync(
        Tool.OpenSsl,
        [
            "s_client", "-connect", $"{url.Host}:{url.Port}", "-servername", "localhost", version, "-ign_eof",
            "-cert", proxies.Client(client), "-key", proxies.Client(client), "-cert_chain", proxies.Client(client), .. arguments,
        ],
        "GET /headers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}
