using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>What clients of all ages agree on with each profile, the same on every path of private-key operations.</summary>
public sealed class ProfileTests(EveryProfile profiles, ITestOutputHelper output) : IClassFixture<EveryProfile>, IDisposable
{
    private const string SslScan = "/usr/bin/sslscan";

    public void Dispose() => output.WriteLine(profiles.Transcript());

    [DebianPackageTheory("sslscan", SslScan)]
    [InlineData(EveryProfile.Device, EveryProfile.Modern)]
    [InlineData(EveryProfile.Device, EveryProfile.Intermediate)]
    [InlineData(EveryProfile.Device, EveryProfile.Old)]
    [InlineData(EveryProfile.Software, EveryProfile.Modern)]
    [InlineData(EveryProfile.Software, EveryProfile.Intermediate)]
    [InlineData(EveryProfile.Software, EveryProfile.Old)]
    public async Task Sslscan_finds_what_the_golden_file_of_the_profile_has(string path, string profile)
    {
        ProxyProcess proxy = profiles.Proxy(path, profile);
        OperationStatus before = (await proxy.StatusAsync()).Operations;
        ToolResult result = await Tool.RunAsync(
            SslScan, ["--no-colour", "--timeout=60", "--sni-name=localhost", proxy.HostAndPort], limit: TimeSpan.FromMinutes(5));
        string expected = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "golden", "sslscan", $"{profile}.txt"));
        Assert.Equal(expected, WithoutCertificate(result.Output));
        OperationStatus after = (await proxy.StatusAsync()).Operations;
        Assert.Equal((path == EveryProfile.Device, path == EveryProfile.Software, 0), (after.Device > before.Device, after.Software > before.Software, after.Fallback.Count));
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1", "ECDHE-RSA-AES128-SHA", "", "RSA", "MD5-SHA1")]
    [InlineData("-tls1", "ECDHE-RSA-AES256-SHA", "", "RSA", "MD5-SHA1")]
    [InlineData("-tls1_1", "ECDHE-RSA-AES128-SHA", "", "RSA", "MD5-SHA1")]
    [InlineData("-tls1_2", "ECDHE-RSA-AES128-SHA", "RSA+SHA1", "RSA", "SHA1")]
    [InlineData("-tls1_2", "ECDHE-RSA-AES256-SHA384", "RSA+SHA1:RSA+SHA512", "RSA", "SHA512")]
    [InlineData("-tls1", "AES128-SHA", "", null, null)]
    [InlineData("-tls1_1", "AES256-SHA", "", null, null)]
    [InlineData("-tls1_2", "AES256-SHA256", "", null, null)]
    public async Task Old_client_costs_one_operation_of_RSA_and_is_served(string version, string suite, string algorithms, string? type, string? digest)
    {
        foreach (string path in (string[])[EveryProfile.Device, EveryProfile.Software])
        {
            string[] arguments = [version, "-cipher", $"{suite}:@SECLEVEL=0", .. algorithms.Length == 0 ? (string[])[] : ["-sigalgs", algorithms]];
            ToolResult result = await WithOperationsAsync(path, EveryProfile.Old, 1, arguments);
            Assert.Contains($"Cipher is {suite}\n", result.Output, StringComparison.Ordinal);
            Assert.Equal(type is not null, result.Output.Contains($"Peer signing digest: {digest}\nPeer signature type: {type}\n", StringComparison.Ordinal));
        }
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryProfile.Old, "-tls1", "ECDHE-ECDSA-AES128-SHA")]
    [InlineData(EveryProfile.Old, "-tls1_2", "ECDHE-ECDSA-AES256-SHA384")]
    [InlineData(EveryProfile.Intermediate, "-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    public async Task Client_with_ECDSA_costs_no_operation_of_RSA(string profile, string version, string suite)
    {
        foreach (string path in (string[])[EveryProfile.Device, EveryProfile.Software])
        {
            ToolResult result = await WithOperationsAsync(path, profile, 0, version, "-cipher", $"{suite}:@SECLEVEL=0");
            Assert.Contains($"Cipher is {suite}\n", result.Output, StringComparison.Ordinal);
        }
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("DHE-RSA-AES256-GCM-SHA384")]
    [InlineData("DHE-RSA-AES128-SHA256")]
    public async Task Finite_fields_have_2048_bits(string suite)
    {
        foreach (string path in (string[])[EveryProfile.Device, EveryProfile.Software])
        {
            ToolResult result = await WithOperationsAsync(path, EveryProfile.FiniteField, 1, "-cipher", suite);
            Assert.Contains($"Cipher is {suite}\n", result.Output, StringComparison.Ordinal);
            Assert.Contains("Server Temp Key: DH, 2048 bits", result.Output, StringComparison.Ordinal);
        }
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryProfile.Intermediate, "AES256-GCM first", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData(EveryProfile.Intermediate, "ChaCha20 first", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305")]
    [InlineData(EveryProfile.Old, "CBC first", "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256")]
    public async Task Order_of_TLS_1_2_is_the_servers_but_ChaCha20_is_for_those_who_want_it(string profile, string preference, string offered, string expected)
    {
        ToolResult result = await WithOperationsAsync(EveryProfile.Device, profile, null, "-tls1_2", "-cipher", offered);
        Assert.True(result.Output.Contains($"Cipher is {expected}\n", StringComparison.Ordinal), $"{preference}: {result}");
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryProfile.Modern, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")]
    [InlineData(EveryProfile.Intermediate, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256")]
    [InlineData(EveryProfile.Intermediate, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")]
    public async Task Order_of_TLS_1_3_is_the_clients_in_modern_alone(string profile, string offered, string expected)
    {
        ToolResult result = await WithOperationsAsync(EveryProfile.Device, profile, null, "-tls1_3", "-ciphersuites", offered);
        Assert.Contains($"Cipher is {expected}\n", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData(EveryProfile.Old, "http/1.1", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")]
    [InlineData(EveryProfile.Old, "http/1.1", "-tls1_2", "-cipher", "AES128-GCM-SHA256")]
    [InlineData(EveryProfile.Old, "http/1.1", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256")]
    [InlineData(EveryProfile.Old, "h2", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData(EveryProfile.Old, "h2", "-tls1_3")]
    [InlineData(EveryProfile.FiniteField, "h2", "-tls1_2", "-cipher", "DHE-RSA-AES256-GCM-SHA384")]
    [InlineData(EveryProfile.FiniteField, "http/1.1", "-tls1_2", "-cipher", "DHE-RSA-AES128-SHA256")]
    [InlineData(EveryProfile.Intermediate, "h2", "-tls1_2")]
    [InlineData(EveryProfile.Modern, "h2", "-tls1_3")]
    public async Task Http_2_is_agreed_on_only_where_its_RFC_allows_the_version_and_the_suite(string profile, string protocol, params string[] arguments)
    {
        await using SClient client = SClient.Start(profiles.Proxy(EveryProfile.Device, profile), [.. arguments, "-alpn", "h2,http/1.1"]);
        await client.SaysAsync($"ALPN protocol: {protocol}\n");
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("alert no application protocol", EveryProfile.Old, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-alpn", "h2")]
    [InlineData("alert no application protocol", EveryProfile.Old, "-tls1_2", "-cipher", "AES128-SHA", "-alpn", "h2")]
    [InlineData("alert protocol version", EveryProfile.Modern, "-tls1_2")]
    [InlineData("alert protocol version", EveryProfile.Intermediate, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")]
    [InlineData("alert protocol version", EveryProfile.FiniteField, "-tls1_3")]
    [InlineData("alert inappropriate fallback", EveryProfile.Old, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-fallback_scsv")]
    [InlineData("alert handshake failure", EveryProfile.Intermediate, "-tls1_2", "-cipher", "AES128-GCM-SHA256")]
    [InlineData("alert handshake failure", EveryProfile.Intermediate, "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256")]
    [InlineData("alert handshake failure", EveryProfile.Intermediate, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", "-sigalgs", "RSA+SHA1")]
    [InlineData("alert handshake failure", EveryProfile.Modern, "-tls1_3", "-groups", "X448")]
    [InlineData("alert handshake failure", EveryProfile.Modern, "-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256")]
    public async Task Client_with_whom_nothing_is_agreed_is_told_by_an_alert(string alert, string profile, params string[] arguments)
    {
        foreach (string path in (string[])[EveryProfile.Device, EveryProfile.Software])
        {
            await using SClient client = SClient.Start(profiles.Proxy(path, profile), arguments);
            await client.EndsAsync();
            Assert.Contains(alert, client.Said, StringComparison.Ordinal);
        }
    }

    /// <summary>From the versions to the groups, which is all that the certificates and the machine do not change.</summary>
    private static string WithoutCertificate(string output)
    {
        IEnumerable<string> lines = output.Split('\n').Select(static line => line.TrimEnd())
            .SkipWhile(static line => line != "  SSL/TLS Protocols:").TakeWhile(static line => line != "  SSL Certificate:");
        return string.Join('\n', lines).TrimEnd() + "\n";
    }

    private async Task<ToolResult> WithOperationsAsync(string path, string profile, int? operations, params string[] arguments)
    {
        ProxyProcess proxy = profiles.Proxy(path, profile);
        OperationStatus before = (await proxy.StatusAsync()).Operations;
        ToolResult result = await Tool.GetWithOpenSslAsync(proxy, profiles.TrustedFile, arguments);
        if (operations is not null)
        {
            Assert.Equal(EveryProfile.Operations(path, operations.Value), (await proxy.StatusAsync()).Operations.Since(before));
        }

        return result;
    }
}
