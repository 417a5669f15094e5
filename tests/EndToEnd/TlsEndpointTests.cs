using System.Net.Sockets;
using System.Text;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>The proxy's own side of TLS after and besides good handshakes: with clients that ask for more, break the protocol or leave.</summary>
public sealed class TlsEndpointTests(TlsEndpointTests.OneProxy one, ITestOutputHelper output) : IClassFixture<TlsEndpointTests.OneProxy>, IDisposable
{
    private const string Get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private const string Served = "WarpProxy is serving";

    private ProxyProcess Proxy => one.Proxy;

    public void Dispose() => output.WriteLine(one.Transcript());

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("K")]   // the client changes its key and asks the proxy to
    [InlineData("k")]   // the client changes its own
    public async Task Key_update_goes_on_with_the_same_connection(string command)
    {
        await using SClient client = SClient.Start(Proxy, "-tls1_3", "-msg");
        await client.TypeAsync(Get);
        await client.SaysAsync(Served);
        for (int i = 1; i <= 3; i++)
        {
            await client.TypeAsync(command + "\n");
            await client.SaysAsync("KEYUPDATE", i);
            await client.TypeAsync(Get);
            await client.SaysAsync(Served, i + 1);
        }

        int answers = client.Said.Split("<<< TLS 1.3, Handshake [length 0005], KeyUpdate").Length - 1;
        Assert.Equal(command == "K" ? 3 : 0, answers);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Renegotiation_is_refused_and_costs_no_private_key_operation()
    {
        await using SClient client = SClient.Start(Proxy, "-tls1_2");
        await client.TypeAsync(Get);
        await client.SaysAsync(Served);
        OperationStatus before = (await Proxy.StatusAsync()).Operations;
        await client.TypeAsync("R\n");
        await client.SaysAsync("no renegotiation");
        await client.EndsAsync();
        Assert.Equal("device 0, software 0", (await Proxy.StatusAsync()).Operations.Since(before));
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("protocol version", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")]
    [InlineData("no application protocol", "-alpn", "foo")]
    [InlineData("handshake failure", "-tls1_2", "-cipher", "AES128-SHA")]
    [InlineData("handshake failure", "-tls1_3", "-groups", "ffdhe8192", "-sigalgs", "ECDSA+SHA256")]
    public async Task Client_with_whom_nothing_is_agreed_is_told_by_an_alert(string alert, params string[] arguments)
    {
        await using SClient client = SClient.Start(Proxy, arguments);
        await client.EndsAsync();
        Assert.Contains($"alert {alert}", client.Said, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2", "512")]
    [InlineData("-tls1_3", "1024")]
    public async Task Records_are_as_small_as_the_client_wants_them(string version, string length)
    {
        await using SClient client = SClient.Start(Proxy, version, "-maxfraglen", length);
        await client.TypeAsync(Get);
        await client.SaysAsync(Served);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Fatal_alert_of_a_client_is_named_in_the_log()
    {
        await using SClient client = SClient.Start(Proxy, "-verify_return_error");
        await client.EndsAsync();
        await LogsAsync("TLS alert unknown_ca");
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Client_that_is_killed_has_closed_without_close_notify()
    {
        await using (SClient client = SClient.Start(Proxy))
        {
            await client.TypeAsync(Get);
            await client.SaysAsync(Served);
        }

        await LogsAsync("the client closed without close_notify");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 10)]           // no TLS: unexpected_message
    [InlineData("\u0016\u0003\u0001\u0000\u0005\u0002\u0000\u0000\u0001\u0000", 10)]   // a ServerHello
    [InlineData("\u0016\u0003\u0001\u0040\u0000\u0001\u00FF\u00FF\u00FF", 47)]         // a ClientHello of 16 MiB: illegal_parameter
    public async Task Bytes_that_begin_no_handshake_are_answered_with_an_alert(string text, byte alert)
    {
        using var client = new TcpClient(Proxy.Url.Host, Proxy.Url.Port);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));
        using var answer = new MemoryStream();
        await client.GetStream().CopyToAsync(answer).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal([21, 3, 1, 0, 2, 2, alert], answer.ToArray());
    }

    [Fact]
    public async Task ClientHello_that_is_damaged_is_answered_with_an_alert_of_OpenSSL()
    {
        using var client = new TcpClient(Proxy.Url.Host, Proxy.Url.Port);
        await client.GetStream().WriteAsync(new byte[] { 22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 9, 9 });
        using var answer = new MemoryStream();
        await client.GetStream().CopyToAsync(answer).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal([21, 3, 3, 0, 2, 2, 50], answer.ToArray());    // decode_error
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Clients_that_leave_during_the_handshake_leave_nothing_behind(bool isReset)
    {
        byte[] hello = await RecordHelloAsync();
        for (int i = 0; i < 40; i++)
        {
            using var client = new TcpClient(Proxy.Url.Host, Proxy.Url.Port);
            await client.GetStream().WriteAsync(hello.AsMemory(0, i % 2 == 0 ? hello.Length : i));
            client.LingerState = new LingerOption(isReset, 0);
        }

        await new TlsClient(Proxy.Url, one.Root).GetAsync();
        await Eventually.TrueAsync("no leak", async () => (await Proxy.StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
    }

    private Task LogsAsync(string text) =>
        Eventually.TrueAsync($"the proxy logs '{text}'", () => Proxy.Process.Output.Any(line => line.Contains(text, StringComparison.Ordinal)));

    /// <summary>A ClientHello as .NET sends it.</summary>
    private static async Task<byte[]> RecordHelloAsync()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((System.Net.IPEndPoint)listener.LocalEndpoint);
        using TcpClient server = await listener.AcceptTcpClientAsync();
        await using var tls = new System.Net.Security.SslStream(client.GetStream());
        Task failing = tls.AuthenticateAsClientAsync("localhost");
        byte[] header = new byte[5];
        await server.GetStream().ReadExactlyAsync(header);
        byte[] hello = new byte[5 + ((header[3] << 8) | header[4])];
        header.CopyTo(hello, 0);
        await server.GetStream().ReadExactlyAsync(hello.AsMemory(5));
        server.Close();
        await Assert.ThrowsAnyAsync<Exception>(() => failing);
        return hello;
    }

    /// <summary>A proxy that logs what becomes of connections.</summary>
    public sealed class OneProxy : IAsyncLifetime, IDisposable
    {
        private readonly Scenario _scenario = new();
        private readonly TestCertificate _certificate = TestCertificate.Rsa(2048);

        internal ProxyProcess Proxy { get; private set; } = null!;

        internal System.Security.Cryptography.X509Certificates.X509Certificate2 Root => _certificate.Root;

        public async Task InitializeAsync() => Proxy = await ProxyProcess.StartAsync(
            _scenario,
            _certificate.WriteTo(_scenario),
            new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_Logging__LogLevel__WarpProxy"] = "Debug" });

        public async Task DisposeAsync() => await _scenario.DisposeAsync();

        public void Dispose() => _certificate.Dispose();

        internal string Transcript() => _scenario.Transcript();
    }
}
