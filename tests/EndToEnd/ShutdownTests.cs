using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>A proxy, or an emulator, that is asked to end while clients are connected.</summary>
public sealed class ShutdownTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Request_under_way_ends_while_idle_connections_are_closed_and_new_ones_refused(string version)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate, drain: "00:10:00");
        using HttpClient client = Upstream.Client(certificate);
        client.Timeout = Patience;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(proxy.Url, "/slow"))
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        Task<HttpResponseMessage> slow = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await upstream.SlowBegan;
        await using SslStream idle = await ConnectAsync(proxy, certificate);
        await idle.WriteAsync(Request);
        Assert.Contains("upstream: GET /hello", await ReadAnswerAsync(idle), StringComparison.Ordinal);

        await DrainAsync(proxy);
        Assert.Equal("", await ReadToEndAsync(idle));
        await Eventually.TrueAsync("nobody can connect", () => CannotConnectAsync(proxy.Url), Patience);
        Assert.Equal("draining", await StateAsync(proxy));
        Assert.False(proxy.Process.HasExited);
        upstream.EndSlow();

        using HttpResponseMessage response = await slow;
        Assert.Equal("begin end", await response.Content.ReadAsStringAsync());
        await EndsWellAsync(proxy);
    }

    [Fact]
    public async Task Download_under_way_comes_whole()
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate, drain: "00:10:00");
        using HttpClient client = Upstream.Client(certificate);
        client.Timeout = TimeSpan.FromMinutes(5);
        using HttpResponseMessage response = await client.GetAsync(new Uri(proxy.Url, "/flood"), HttpCompletionOption.ResponseHeadersRead);
        await DrainAsync(proxy);

        await using Stream body = await response.Content.ReadAsStreamAsync();
        byte[] part = new byte[1 << 20];
        long length = 0;
        while (await body.ReadAsync(part) is > 0 and int read)
        {
            length += read;
        }

        Assert.Equal(Upstream.FloodBytes, length);
        await EndsWellAsync(proxy);
    }

    [Fact]
    public async Task Handshake_under_way_finishes_and_its_request_is_answered()
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate, drain: "00:10:00");
        using var socket = new TcpClient();
        await socket.ConnectAsync(proxy.Url.Host, proxy.Url.Port);
        await using var held = new HeldStream(socket.GetStream());
        await using var tls = new SslStream(held);
        Task handshake = tls.AuthenticateAsClientAsync(Options(certificate));
        await held.Reached.WaitAsync(Patience);
        await DrainAsync(proxy);
        held.Release();
        await handshake.WaitAsync(Patience);
        await tls.WriteAsync(Request);

        string answer = await ReadToEndAsync(tls);
        Assert.Contains("upstream: GET /hello", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        await EndsWellAsync(proxy);
    }

    [Fact]
    public async Task Tunnel_that_is_passed_through_goes_on_until_its_client_ends_it()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string config = scenario.Write("proxy.json", $$"""
            {
              "Shutdown": { "Drain": "00:10:00" },
              "Listeners": {
                "a": { "Url": "https://127.0.0.1:0", "Passthrough": { "far": { "Names": [ "far.example" ], "Upstream": "{{listener.LocalEndpoint}}" } } }
              }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--config", config]);
        Uri url = (await Listeners.OfAsync(proxy, 1))[0];
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port);
        await using var tls = new SslStream(client.GetStream());
        Task handshake = tls.AuthenticateAsClientAsync(Options(certificate, "far.example"));
        using TcpClient far = await listener.AcceptTcpClientAsync().WaitAsync(Patience);
        await using var server = new SslStream(far.GetStream());
        using var withKey = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(certificate.ChainPem, certificate.KeyPem);
        await server.AuthenticateAsServerAsync(withKey).WaitAsync(Patience);
        await handshake.WaitAsync(Patience);

        await DrainAsync(proxy);
        await tls.WriteAsync("there"u8.ToArray());
        byte[] bytes = new byte[5];
        await server.ReadExactlyAsync(bytes).AsTask().WaitAsync(Patience);
        await server.WriteAsync("again"u8.ToArray());
        await tls.ReadExactlyAsync(bytes).AsTask().WaitAsync(Patience);
        Assert.Equal("again", Encoding.ASCII.GetString(bytes));
        client.Client.Shutdown(SocketShutdown.Both);
        far.Client.Shutdown(SocketShutdown.Both);
        await EndsWellAsync(proxy);
    }

    [Fact]
    public async Task Client_that_never_ends_is_cut_off_when_the_time_is_over()
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate, drain: "00:00:01");
        using HttpClient client = Upstream.Client(certificate);
        Task<string> slow = client.GetStringAsync(new Uri(proxy.Url, "/slow"));
        await upstream.SlowBegan;
        proxy.Process.Send(Signal.Terminate);

        await Assert.ThrowsAsync<HttpRequestException>(() => slow);
        await EndsWellAsync(proxy);
        Assert.Single(proxy.Process.Output, static line => line.EndsWith("Connections cut off, since they had not ended after 1 s: 1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(nameof(Signal.Interrupt), 130)]
    [InlineData(nameof(Signal.Terminate), 143)]
    public async Task Second_signal_ends_at_once(string second, int exitCode)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate, drain: "01:00:00");
        using HttpClient client = Upstream.Client(certificate);
        Task<string> slow = client.GetStringAsync(new Uri(proxy.Url, "/slow"));
        await upstream.SlowBegan;
        await DrainAsync(proxy);
        proxy.Process.Send(Enum.Parse<Signal>(second));

        Assert.Equal(exitCode, await proxy.Process.WaitForExitAsync(Patience));
        await Assert.ThrowsAsync<HttpRequestException>(() => slow);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Stopped_emulator_holds_up_neither_the_end_nor_the_second_signal(int signals)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri], ProxyProcess.DefaultDeadline);
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        emulator.Process.Send(Signal.Stop);
        try
        {
            Task abandoned = new TlsClient(proxy.Url, certificate.Root).GetAsync();
            proxy.Process.Send(Signal.Terminate);
            if (signals == 2)
            {
                await Eventually.TrueAsync("the proxy drains, or has ended", () => IsDraining(proxy) || proxy.Process.HasExited, Patience);
                proxy.Process.Send(Signal.Terminate);
            }

            // It may have ended before the second one.
            int exitCode = await proxy.Process.WaitForExitAsync(Patience);
            Assert.True(exitCode == 0 || (signals == 2 && exitCode == 143), $"exit code {exitCode}");

            // Whether it was in time is not the question here.
            await abandoned.ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(Patience);
        }
        finally
        {
            emulator.Process.Send(Signal.Continue);
        }

        // It finds that its client has gone.
        emulator.Process.Send(Signal.Terminate);
        Assert.Equal(0, await emulator.Process.WaitForExitAsync(Patience));
    }

    [Fact]
    public async Task Proxy_that_ends_leaves_no_queue_open_on_the_emulator()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri]);
        await proxy.HasQueuesAsync();
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        proxy.Process.Send(Signal.Terminate);
        await EndsWellAsync(proxy);
        await Eventually.TrueAsync("the emulator has seen all of its connections end", () => AreGone(emulator, proxy), Patience);

        emulator.Process.Send(Signal.Terminate);
        Assert.Equal(0, await emulator.Process.WaitForExitAsync(Patience));
        Assert.Single(emulator.Process.Output, static line => line.Contains("Stopping on SIGTERM: 0 queues open", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Emulator_that_ends_ends_well_and_its_clients_go_on_in_software()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri], ProxyProcess.LongDeadline);
        await using var crowd = new ClientCrowd(4, proxy.Url, certificate.Root);
        await crowd.ServeMoreAsync(20);
        emulator.Process.Send(Signal.Terminate);
        Assert.Equal(0, await emulator.Process.WaitForExitAsync(Patience));
        await crowd.ServeMoreAsync(20);
        await crowd.StopAsync();

        Assert.Empty(crowd.Failures);
        Assert.Empty(emulator.Process.Errors);
        await Eventually.TrueAsync("nothing is held", async () => (await proxy.StatusAsync()).Leaks == new LeakStatus(0, 0, 0), Patience);
    }

    private static Task<ProxyProcess> StartAsync(Scenario scenario, Upstream upstream, TestCertificate certificate, string drain) =>
        ProxyProcess.StartAsync(
            scenario,
            [.. certificate.WriteTo(scenario), "--config", upstream.WriteConfig(scenario, "{**all}")],
            new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_Shutdown__Drain"] = drain });

    private static async Task DrainAsync(ProxyProcess proxy)
    {
        proxy.Process.Send(Signal.Terminate);
        await Eventually.TrueAsync("the proxy drains", () => IsDraining(proxy), Patience);
        await Eventually.TrueAsync("it says so", async () => await StateAsync(proxy) == "draining", Patience);
    }

    private static bool IsDraining(ProxyProcess proxy) => proxy.Process.Output.Any(static line => line.Contains("Draining", StringComparison.Ordinal));

    /// <summary>Whether the emulator has said of each connection of the proxy, which had 16 queues, that it is closed.</summary>
    private static bool AreGone(EmulatorProcess emulator, ProxyProcess proxy)
    {
        string[] lines = emulator.Process.Output;
        string[] clients =
        [
            .. lines.Select(line => Regex.Match(line, $"(Client [0-9]+) connected: process {proxy.Process.Id},"))
                .Where(static match => match.Success).Select(static match => match.Groups[1].Value),
        ];
        return clients.Length >= 16 && Array.TrueForAll(clients, client => Array.Exists(lines, line => line.Contains($"{client} disconnected: ", StringComparison.Ordinal)));
    }

    private static async Task<string?> StateAsync(ProxyProcess proxy)
    {
        using var client = new HttpClient();
        using HttpResponseMessage readiness = await client.GetAsync(new Uri(proxy.Admin, "/readyz"));
        JsonElement status = await client.GetFromJsonAsync<JsonElement>(new Uri(proxy.Admin, "/status"));
        string? state = status.GetProperty("state").GetString();
        Assert.Equal(state == "draining" ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK, readiness.StatusCode);
        return state;
    }

    private static async Task EndsWellAsync(ProxyProcess proxy)
    {
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(Patience));
        Assert.Empty(proxy.Process.Errors);
        Assert.Contains(proxy.Process.Output, static line => line.EndsWith("Stopped", StringComparison.Ordinal));
    }

    private static SslClientAuthenticationOptions Options(TestCertificate certificate, string name = "localhost") => new()
    {
        TargetHost = name,
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString() == certificate.Certificate.Thumbprint,
    };

    private static async Task<SslStream> ConnectAsync(ProxyProcess proxy, TestCertificate certificate)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(proxy.Url.Host, proxy.Url.Port);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(Options(certificate)).WaitAsync(Patience);
        return tls;
    }

    /// <summary>Up to the end of the answer's body, which upstreams end with the path.</summary>
    private static async Task<string> ReadAnswerAsync(SslStream tls)
    {
        using var limit = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        byte[] part = new byte[4096];
        while (!text.ToString().Contains("/hello", StringComparison.Ordinal))
        {
            int read = await tls.ReadAsync(part, limit.Token);
            Assert.NotEqual(0, read);
            text.Append(Encoding.ASCII.GetString(part, 0, read));
        }

        return text.ToString();
    }

    private static async Task<string> ReadToEndAsync(SslStream tls)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var reader = new StreamReader(tls, Encoding.ASCII, leaveOpen: true);
        string text = await reader.ReadToEndAsync(limit.Token);

        // What is left is the end of a chunk.
        return text.Trim('\r', '\n', '0');
    }

    private static async Task<bool> CannotConnectAsync(Uri url)
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(url.Host, url.Port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
