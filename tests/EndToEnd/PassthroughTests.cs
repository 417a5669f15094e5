using System.Net;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Names whose TLS is an upstream's: <c>openssl s_server</c>, which clients talk to through the proxy.</summary>
public sealed class PassthroughTests(ITestOutputHelper output)
{
    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Client_does_its_handshake_with_the_upstream_and_other_names_with_the_proxy(string version)
    {
        await using var scenario = new Scenario(output);
        using var own = TestCertificate.Rsa(2048);
        string[] certificate = own.WriteTo(scenario);
        using var theirs = TestCertificate.Ecdsa();
        int port = await StartServerAsync(scenario, theirs);
        string config = scenario.Write("proxy.json", $$"""
            {
              "Listeners": {
                "a": {
                  "Url": "https://127.0.0.1:0",
                  "Passthrough": { "legacy": { "Names": [ "legacy.example", "*.legacy.example" ], "Upstream": "127.0.0.1:{{port}}" } }
                }
              }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate, "--config", config]);
        Uri url = (await Listeners.OfAsync(proxy, 1))[0];

        foreach (string name in new[] { "legacy.example", "www.LEGACY.example" })
        {
            ToolResult passed = await GetAsync(url, name, version, scenario.File("theirs.pem"));
            Assert.Contains("Verification: OK", passed.Output, StringComparison.Ordinal);
            Assert.Contains("Server public key is 256 bit", passed.Output, StringComparison.Ordinal);
            Assert.Contains("s_server", passed.Output, StringComparison.Ordinal);
        }

        foreach (string name in new[] { "localhost", "a.b.legacy.example", "example" })
        {
            ToolResult ended = await GetAsync(url, name, version, scenario.File("root.pem"));
            Assert.Contains("Verification: OK", ended.Output, StringComparison.Ordinal);
            Assert.Contains("Server public key is 2048 bit", ended.Output, StringComparison.Ordinal);
            Assert.Contains("WarpProxy is serving", ended.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Name_that_is_passed_through_to_the_proxy_itself_is_refused_in_the_end()
    {
        await using var scenario = new Scenario(output);
        using var own = TestCertificate.Ecdsa();

        // The port has to be known before: one at an address of the loopback network that nobody else uses.
        byte[] random = System.Security.Cryptography.RandomNumberGenerator.GetBytes(3);
        string address = $"127.{random[0]}.{random[1]}.{(random[2] % 253) + 2}:8443";
        string config = scenario.Write("proxy.json", $$"""
            { "Listeners": { "a": { "Url": "https://{{address}}", "Passthrough": { "l": { "Names": [ "localhost" ], "Upstream": "{{address}}" } } } } }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. own.WriteTo(scenario), "--config", config]);
        Uri url = (await Listeners.OfAsync(proxy, 1))[0];
        await Assert.ThrowsAnyAsync<Exception>(() => new TlsClient(url, own.Root).GetAsync());
        await Eventually.TrueAsync("no connection is left", async () => (await proxy.StatusAsync()).Connections.Open == 0);
        ConnectionStatus status = (await proxy.StatusAsync()).Connections;
        Assert.Equal((1, 5), (status.Refused["loop"], status.Listeners[1].Accepted));
    }

    [Fact]
    public async Task Upstream_that_does_not_answer_is_given_up_in_time()
    {
        await using var scenario = new Scenario(output);
        using var own = TestCertificate.Ecdsa();

        // Linux drops what comes when as many wait as a listener asked for: nobody takes them here.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        Socket[] waiting = [.. Enumerable.Range(0, 8).Select(static _ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        Task[] connecting = [.. waiting.Select(socket => socket.ConnectAsync(full.LocalEndPoint!))];
        await Task.WhenAny(connecting);
        string config = scenario.Write("proxy.json", $$"""
            {
              "Listeners": {
                "a": {
                  "Url": "https://127.0.0.1:0",
                  "Passthrough": { "l": { "Names": [ "localhost" ], "Upstream": "{{full.LocalEndPoint}}", "ConnectTimeout": "00:00:00.3" } }
                }
              }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. own.WriteTo(scenario), "--config", config]);
        Uri url = (await Listeners.OfAsync(proxy, 1))[0];
        Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => new TlsClient(url, own.Root).GetAsync());
        output.WriteLine(failure.ToString());
        using var http = new HttpClient();
        string status = await http.GetStringAsync(new Uri(proxy.Admin, "/status"));
        Assert.Contains("\"connectTimeout\":1", status, StringComparison.Ordinal);
        await Eventually.TrueAsync("no connection is left", async () => (await proxy.StatusAsync()).Connections.Open == 0);
        Array.ForEach(waiting, static socket => socket.Dispose());
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(connecting));
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Hello_retry_and_a_large_download_go_through()
    {
        await using var scenario = new Scenario(output);
        using var own = TestCertificate.Rsa(2048);
        string[] certificate = own.WriteTo(scenario);
        using var theirs = TestCertificate.Ecdsa();
        byte[] file = new byte[20_000_000];
        new Random(20).NextBytes(file);
        Directory.CreateDirectory(scenario.File("site"));
        await File.WriteAllBytesAsync(scenario.File("site/large.bin"), file);
        int port = await StartServerAsync(scenario, theirs, "-WWW", "-groups", "P-384");
        string config = scenario.Write("proxy.json", $$"""
            {
              "Listeners": { "a": { "Url": "https://127.0.0.1:0", "Passthrough": { "l": { "Names": [ "localhost" ], "Upstream": "localhost:{{port}}" } } } }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate, "--config", config]);
        Uri url = (await Listeners.OfAsync(proxy, 1))[0];

        ToolResult result = await Tool.RunAsync(
            Tool.Curl,
            [
                "--silent", "--show-error", "--http1.0", "--cacert", scenario.File("theirs.pem"), "--connect-to", $"localhost:443:127.0.0.1:{url.Port}",
                "--output", scenario.File("large.bin"), "https://localhost/site/large.bin",
            ]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(file, await File.ReadAllBytesAsync(scenario.File("large.bin")));
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Upstream_that_is_down_is_an_alert_for_the_client()
    {
        await using var scenario = new Scenario(output);
        using var own = TestCertificate.Rsa(2048);
        string config = scenario.Write("proxy.json", """
            {
              "Listeners": { "a": { "Url": "https://127.0.0.1:0", "Passthrough": { "l": { "Names": [ "legacy.example" ], "Upstream": "127.0.0.1:1" } } } }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. own.WriteTo(scenario), "--config", config]);
        Uri url = (await Listeners.OfAsync(proxy, 1))[0];
        ToolResult result = await Tool.RunAsync(Tool.OpenSsl, ["s_client", "-connect", $"{url.Host}:{url.Port}", "-servername", "legacy.example"]);
        Assert.Contains("alert internal error", result.Error, StringComparison.Ordinal);
    }

    private static Task<ToolResult> GetAsync(Uri url, string name, string version, string trusted) => Tool.RunAsync(
        Tool.OpenSsl,
        ["s_client", "-connect", $"{url.Host}:{url.Port}", "-servername", name, version, "-CAfile", trusted, "-ign_eof"],
        "GET / HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    /// <summary>Starts s_server and waits until it accepts; returns its port.</summary>
    private static async Task<int> StartServerAsync(Scenario scenario, TestCertificate certificate, params string[] arguments)
    {
        scenario.Write("theirs.pem", certificate.RootPem);
        string chain = scenario.Write("their-chain.pem", certificate.ChainPem);
        string key = scenario.Write("their-key.pem", certificate.KeyPem);
        // In its directory, whose files -WWW serves.
        string[] mode = arguments.Length > 0 ? arguments : ["-www"];
        RunningProcess server = scenario.Start(
            "/usr/bin/env", ["-C", Path.GetDirectoryName(chain)!, Tool.OpenSsl, "s_server", "-accept", "127.0.0.1:0", "-cert", chain, "-key", key, .. mode]);
        string? accepting = null;
        await Eventually.TrueAsync("s_server accepts", () =>
        {
            accepting = server.Output.FirstOrDefault(static line => line.StartsWith("ACCEPT ", StringComparison.Ordinal));
            return server.HasExited || accepting is not null;
        });
        Assert.False(server.HasExited, server.Transcript());
        return int.Parse(accepting!.Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
