using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using WarpProxy.Configuration;
using WarpProxy.Hosting;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>The whole proxy in this process: clients over TCP, the embedded device, YARP, the demo upstream.</summary>
public sealed class ProxyServerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly PemFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1.1", SslProtocols.Tls12)]
    [InlineData("1.1", SslProtocols.Tls13)]
    [InlineData("2.0", SslProtocols.Tls12)]
    [InlineData("2.0", SslProtocols.Tls13)]
    public async Task Request_reaches_the_upstream_and_the_device_does_the_handshake(string http, SslProtocols tls)
    {
        await using ProxyServer server = await StartAsync(WriteRsa());
        string page = await GetAsync(server, "/", Version.Parse(http), tls);
        Assert.Contains($"HTTP/{http.Replace(".0", "", StringComparison.Ordinal)}", page);
        Assert.Contains($"{tls} TLS_", page);
        AssertOperations(server, device: 1, software: 0);
        await AssertNothingLeaks(server);
    }

    [Fact]
    public async Task Ecdsa_certificate_serves_without_any_RSA_operation()
    {
        await using ProxyServer server = await StartAsync(WriteEcdsa());
        Assert.Contains("HTTP/1.1", await GetAsync(server, "/", HttpVersion.Version11, SslProtocols.Tls13));
        Assert.Contains("HTTP/2", await GetAsync(server, "/", HttpVersion.Version20, SslProtocols.Tls12));
        AssertOperations(server, device: 0, software: 0);
    }

    [Theory]
    [InlineData("localhost", "default", true)]
    [InlineData("other.example", "default", true)]
    [InlineData("localhost", "refuse", true)]
    [InlineData("other.example", "refuse", false)]
    public async Task Name_without_a_certificate_gets_the_default_one_or_is_refused(string name, string unknownNames, bool isServed)
    {
        await using ProxyServer server = await StartAsync(
            WriteEcdsa(), ("Listeners:a:Url", "https://127.0.0.1:0"), ("Listeners:a:UnknownNames", unknownNames));
        using TcpClient client = await ConnectAsync(server);
        await using var stream = new SslStream(client.GetStream());
        Task handshake = stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost",
        }).WaitAsync(Patience);
        if (isServed)
        {
            await handshake;
        }
        else
        {
            Exception exception = await Assert.ThrowsAnyAsync<Exception>(() => handshake);
            Assert.Contains("unrecognized name", exception.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(isServed ? 0 : 1, server.ReadStatus().Handshakes.UnknownName);
    }

    [Theory]
    [InlineData("Offload:Devices:0", "none")]
    [InlineData("Offload:Path", "software")]
    public async Task Without_a_device_software_does_it_and_that_is_no_fallback(string setting, string value)
    {
        await using ProxyServer server = await StartAsync(WriteRsa(), (setting, value));
        await GetAsync(server, "/", HttpVersion.Version11, SslProtocols.Tls13);
        AssertOperations(server, device: 0, software: 1);
        Assert.Empty(server.ReadStatus().Operations.Fallback);
    }

    [Fact]
    public async Task Emulator_that_is_absent_is_no_error_and_the_reason_is_counted()
    {
        await using ProxyServer server = await StartAsync(WriteRsa(), ("Offload:Devices:0", $"emulator:{_folder.Root}/absent.sock"));
        await GetAsync(server, "/", HttpVersion.Version11, SslProtocols.Tls13);
        AssertOperations(server, device: 0, software: 1);
        Assert.Equal(1, server.ReadStatus().Operations.Fallback["no_device"]);
        Assert.Equal("absent", server.ReadStatus().Devices.Single().State);
    }

    [Fact]
    public async Task Rsa_key_exchange_decrypts_on_the_device_in_the_second_flight()
    {
        await using ProxyServer server = await StartAsync(WriteRsa(), ("Protocol:Profile", "old"));
        using SslStream client = await ConnectAsync(server, new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12,
            CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256]),
        });
        Assert.Equal(TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256, client.NegotiatedCipherSuite);

        // Not a lane would have been counted as software, with the reason not_on_lane.
        AssertOperations(server, device: 1, software: 0);
    }

    [Fact]
    public async Task Routes_of_the_configuration_replace_the_demo()
    {
        await using ProxyServer upstream = await StartAsync(WriteRsa(), ("Server:Urls", "https://127.0.0.1:0;http://127.0.0.1:0"));
        string address = upstream.Urls.Single(url => url.StartsWith("http:", StringComparison.Ordinal));
        await using ProxyServer server = await StartAsync(
            WriteRsa(),
            ("ReverseProxy:Routes:all:ClusterId", "up"),
            ("ReverseProxy:Routes:all:Match:Path", "/up/{**rest}"),
            ("ReverseProxy:Routes:all:Transforms:0:PathRemovePrefix", "/up"),
            ("ReverseProxy:Clusters:up:Destinations:one:Address", address));
        Assert.Contains("WarpProxy is serving", await GetAsync(server, "/up/", HttpVersion.Version11, SslProtocols.Tls13));
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(server, "/", HttpVersion.Version11, SslProtocols.Tls13));
    }

    [Fact]
    public async Task Status_has_the_shape_that_is_documented()
    {
        await using ProxyServer server = await StartAsync(WriteRsa());
        await GetAsync(server, "/", HttpVersion.Version11, SslProtocols.Tls13);
        using var client = new HttpClient { BaseAddress = new Uri(server.AdminUrl) };
        using JsonDocument status = JsonDocument.Parse(await client.GetStringAsync("/status"));
        JsonElement operations = status.RootElement.GetProperty("operations");
        Assert.Equal(1, operations.GetProperty("device").GetInt64());
        Assert.Equal(0, operations.GetProperty("software").GetInt64());
        Assert.Equal(JsonValueKind.Object, operations.GetProperty("fallback").ValueKind);
        JsonElement device = status.RootElement.GetProperty("devices").EnumerateArray().Single();
        Assert.Equal("embedded:", device.GetProperty("uri").GetString());
        Assert.Equal("ready", device.GetProperty("state").GetString());
        Assert.Contains("scalar (OpenSSL", device.GetProperty("engine").GetString());
        JsonElement leaks = status.RootElement.GetProperty("leaks");
        Assert.Equal(
            ["slotsInUse", "operationsInFlight", "lanesBusy", "queuesInUse"],
            leaks.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.Number).Select(member => member.Name));
    }

    [Fact]
    public async Task Admin_listener_and_proxy_know_nothing_of_each_others_paths()
    {
        await using ProxyServer server = await StartAsync(WriteRsa());
        using var client = new HttpClient { BaseAddress = new Uri(server.AdminUrl) };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/healthz", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri("/page", UriKind.Relative))).StatusCode);
        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(server, "/status", HttpVersion.Version11, SslProtocols.Tls13));
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
    }

    [Fact]
    public async Task Proxy_that_drains_is_well_and_not_ready()
    {
        await using ProxyServer server = await StartAsync(WriteRsa());
        await server.DrainAsync();
        using var client = new HttpClient { BaseAddress = new Uri(server.AdminUrl) };
        Assert.Equal("draining\n", await client.GetStringAsync(new Uri("/healthz", UriKind.Relative)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync(new Uri("/readyz", UriKind.Relative))).StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(server, "/", HttpVersion.Version11, SslProtocols.Tls13));
    }

    [Fact]
    public async Task What_is_not_TLS_is_closed_and_counted_and_holds_no_lane()
    {
        await using ProxyServer server = await StartAsync(WriteRsa());
        using TcpClient client = await ConnectAsync(server);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        await ReadToEndAsync(client);
        Assert.Equal(1, server.ReadStatus().Handshakes.NotTls);
        await AssertNothingLeaks(server);
    }

    [Fact]
    public async Task Client_that_does_not_finish_its_ClientHello_is_closed_and_counted()
    {
        await using ProxyServer server = await StartAsync(WriteRsa(), ("Tls:ClientHelloTimeout", "00:00:00.2"));
        using TcpClient client = await ConnectAsync(server);
        await ReadToEndAsync(client, [22, 3, 1]);
        Assert.Equal(1, server.ReadStatus().Handshakes.ClientHelloTimeout);
    }

    [Fact]
    public async Task ClientHello_that_announces_too_much_is_closed_and_counted()
    {
        await using ProxyServer server = await StartAsync(WriteRsa());
        using TcpClient client = await ConnectAsync(server);
        await client.GetStream().WriteAsync(new byte[] { 22, 3, 1, 0x40, 0, 1, 0xFF, 0xFF, 0xFF });
        await ReadToEndAsync(client);
        Assert.Equal(1, server.ReadStatus().Handshakes.ClientHelloTooLong);
    }

    [Fact]
    public async Task Port_in_use_is_refused_with_one_sentence()
    {
        await using ProxyServer server = await StartAsync(WriteRsa());
        CannotListenException refused = await Assert.ThrowsAsync<CannotListenException>(() => StartAsync(WriteRsa(), ("Server:Urls", server.Urls.Single())));
        Assert.Contains(server.Urls.Single(), refused.Message);
        Assert.Contains("address already in use", refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task Something_else_at_the_place_of_a_socket_is_refused()
    {
        string file = _folder.Write("no.sock", "text");
        BadInputException refused = await Assert.ThrowsAsync<BadInputException>(() => StartAsync(WriteRsa(), ("Offload:Devices:0", $"emulator:{file}")));
        Assert.Contains(file, refused.Message);
    }

    private string WriteRsa()
    {
        using RSA key = RSA.Create(2048);
        using X509Certificate2 certificate = PemFolder.Sign(key);
        return _folder.Write(Path.GetRandomFileName(), certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private string WriteEcdsa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = PemFolder.Sign(key);
        return _folder.Write(Path.GetRandomFileName(), certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static Task<ProxyServer> StartAsync(string certificateFile, params (string Setting, string Value)[] settings)
    {
        // A long deadline: these tests are about the way, and the machine that runs them may be busy.
        var all = new Dictionary<string, string?>
        {
            ["Server:Urls"] = "https://127.0.0.1:0",
            ["Server:Admin"] = "http://127.0.0.1:0",
            ["Certificate:File"] = certificateFile,
            ["Offload:Deadline"] = "00:00:10",
            ["Logging:LogLevel:Default"] = "None",
        };
        foreach ((string setting, string value) in settings)
        {
            all[setting] = value;
        }

        if (settings.Any(static setting => setting.Setting.StartsWith("Listeners:", StringComparison.Ordinal)))
        {
            all.Remove("Server:Urls");
        }

        IConfigurationRoot configuration = ConfigurationSources.Load(null, all);
        return ProxyServer.StartAsync(configuration, ProxyOptions.Read(configuration), TimeProvider.System);
    }

    private static async Task<string> GetAsync(ProxyServer server, string path, Version http, SslProtocols tls)
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.EnabledSslProtocols = tls;
        handler.SslOptions.RemoteCertificateValidationCallback = IsOurs;
        using var client = new HttpClient(handler)
        {
            BaseAddress = new Uri(server.Urls.First(url => url.StartsWith("https:", StringComparison.Ordinal))),
            DefaultRequestVersion = http,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Patience,
        };
        return await client.GetStringAsync(new Uri(path, UriKind.Relative));
    }

    // The chain is self-signed; what the handshake itself proves is that the server has the key.
    private static bool IsOurs(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.Subject == "CN=localhost" && (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0;

    private static async Task<TcpClient> ConnectAsync(ProxyServer server)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(server.Urls.First()).Port);
        return client;
    }

    private static async Task<SslStream> ConnectAsync(ProxyServer server, SslClientAuthenticationOptions options)
    {
        TcpClient client = await ConnectAsync(server);
        options.TargetHost = "localhost";
        options.RemoteCertificateValidationCallback = IsOurs;
        var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsClientAsync(options).WaitAsync(Patience);
        return stream;
    }

    /// <summary>To the end, which may come before this has said what it is to say.</summary>
    private static async Task ReadToEndAsync(TcpClient client, byte[]? said = null)
    {
        byte[] buffer = new byte[1024];
        try
        {
            if (said is not null)
            {
                await client.GetStream().WriteAsync(said);
            }

            while (await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(Patience) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Reset, which is an end as well.
        }
    }

    private static void AssertOperations(ProxyServer server, long device, long software)
    {
        Offload.OperationSnapshot operations = server.ReadStatus().Operations;
        Assert.Equal((device, software), (operations.Device, operations.Software));
    }

    private static async Task AssertNothingLeaks(ProxyServer server)
    {
        await Task.Run(() => SpinWait.SpinUntil(() => server.ReadStatus().Leaks is { SlotsInUse: 0, OperationsInFlight: 0, LanesBusy: 0 }, Patience));
        Assert.Equal(new WarpProxy.Admin.LeakStatus(0, 0, 0), server.ReadStatus().Leaks);
    }
}
