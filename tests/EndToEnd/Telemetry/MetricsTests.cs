using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary><c>GET /metrics</c> of a real proxy.</summary>
public sealed class MetricsTests(ITestOutputHelper output)
{
    private const string Promtool = "/usr/bin/promtool";

    private static readonly HttpClient Http = new();

    [DebianPackageFact("prometheus", Promtool)]
    public async Task Metrics_are_what_promtool_wants_and_count_what_was_done()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario));
        const int Connections = 5;
        for (int i = 0; i < Connections; i++)
        {
            await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        }

        string metrics = await Http.GetStringAsync(new Uri(proxy.Admin, "/metrics"));
        ToolResult check = await Tool.RunAsync(Promtool, ["check", "metrics"], metrics);
        Assert.True(check.ExitCode == 0, $"{check}");
        Assert.Equal("", check.Error.Trim());

        Assert.Equal(Connections, Value(metrics, """warpproxy_operations_total{path="device"}"""));
        Assert.Equal(Connections, Value(metrics, """warpproxy_operation_duration_seconds_count{device="embedded:",key_size="2048",path="device"}"""));
        Assert.Equal(Connections, Value(metrics, """warpproxy_handshake_duration_seconds_count{outcome="completed",path="device",tls_protocol_version="1.3"}"""));
        Assert.Equal(Connections, Value(metrics, """warpproxy_operation_batch_size_count{device="embedded:"}"""));
        Assert.True(Value(metrics, """warpproxy_handshake_cpu_time_seconds_total{path="device"}""") > 0);
        Assert.True(Value(metrics, """warpproxy_device_cpu_time_seconds_total{device="embedded:"}""") > 0);
        Assert.Equal(1, Value(metrics, """warpproxy_breaker_state{device="embedded:",state="closed"}"""));
        Assert.True(Value(metrics, """warpproxy_certificate_expiry_seconds{certificate="Certificate"}""") > 0);
        Assert.Contains("kestrel_active_connections", metrics, StringComparison.Ordinal);
        Assert.Contains("http_server_request_duration_seconds_bucket", metrics, StringComparison.Ordinal);
        Assert.Contains("dotnet_gc_collections_total", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_metrics_there_are_none()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, certificate.WriteTo(scenario), new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_Telemetry__Metrics"] = "false" });
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        Assert.Equal("", await Http.GetStringAsync(new Uri(proxy.Admin, "/metrics")));
    }

    [Fact]
    public async Task Clients_that_leave_before_their_ClientHello_is_whole_are_counted_as_what_they_are()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Ecdsa();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario));
        byte[] hello = new RawHello().ToRecord();
        await SendAsync(proxy, []);                                         // as a load balancer looks whether the port is open
        await SendAsync(proxy, []);
        await SendAsync(proxy, hello[..20]);
        await SendAsync(proxy, [22, 3, 1, 0x40, 0, 1, 0xFF, 0xFF, 0xFF]);   // a ClientHello of 16 MiB
        await SendAsync(proxy, "GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await Eventually.TrueAsync("all have ended", async () => (await proxy.StatusAsync()).Connections is { Open: 0 } connections && connections.Listeners[0].Accepted == 5);

        string metrics = await Http.GetStringAsync(new Uri(proxy.Admin, "/metrics"));
        foreach (string outcome in new[] { "abandoned", "refused", "not_tls" })
        {
            Assert.Equal(1, Value(metrics, $$"""warpproxy_handshake_duration_seconds_count{outcome="{{outcome}}",path="none",tls_protocol_version="none"}"""));
        }

        Assert.Equal(3, Regex.Count(metrics, "^warpproxy_handshake_duration_seconds_count", RegexOptions.Multiline));
        Assert.Equal(1, Value(metrics, "warpproxy_handshakes_refused_total{reason=\"not_tls\"}"));
        Assert.Equal(1, Value(metrics, "warpproxy_handshakes_refused_total{reason=\"client_hello_too_long\"}"));
        Assert.Equal(0, Value(metrics, "warpproxy_connections_accept_pauses_total"));
        Assert.Equal(0, Value(metrics, "warpproxy_configuration_refused"));
        Assert.DoesNotContain("open_files", metrics, StringComparison.Ordinal);
    }

    /// <summary>Sends, closes its side, and reads to the end.</summary>
    private static async Task SendAsync(ProxyProcess proxy, byte[] bytes)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Parse(proxy.Url.Host), proxy.Url.Port);
        await socket.SendAsync(bytes);
        byte[] answer = new byte[1024];
        try
        {
            socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(answer).WaitAsync(TimeSpan.FromSeconds(60)) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Another way to end, which may come before the own one.
        }
    }

    private static double Value(string metrics, string series)
    {
        Match match = Regex.Match(metrics, $"^{Regex.Escape(series)} (.+)$", RegexOptions.Multiline);
        Assert.True(match.Success, $"there is {series}");
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }
}
