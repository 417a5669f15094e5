using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>
/// Clients that go away at every point of the handshake, while others are served: nothing of them is left. 2,000 of them, or as many as the variable
/// WARP_ABORTED_HANDSHAKES says.
/// </summary>
[Collection(Alone.Name)]
public sealed class AbortedHandshakeTests(ITestOutputHelper output)
{
    private const int AtOnce = 16;

    // Connections that the proxy keeps to its upstream, and files that come and go.
    private const int OtherFiles = 24;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static int Count => int.Parse(Environment.GetEnvironmentVariable("WARP_ABORTED_HANDSHAKES") ?? "2000", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(EveryPath.Embedded)]
    [InlineData(EveryPath.Software)]
    public async Task Handshakes_cut_at_every_point_leave_nothing_behind(string path)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        using var issuer = new TestIssuer();
        (string clientPem, string clientKey, _) = issuer.Issue(isRsa: false, "client.example");
        using var clientCertificate = X509Certificate2.CreateFromPem(clientPem, clientKey);
        string config = scenario.Write("proxy.json", $$"""
            {
              "Listeners": {
                "a": { "Url": "https://127.0.0.1:0" },
                "b": { "Url": "https://127.0.0.1:0", "Protocol": { "Groups": [ "secp256r1" ] } },
                "c": { "Url": "https://127.0.0.1:0", "ClientCertificates": { "Mode": "required", "CaFile": "{{scenario.Write("ca.pem", issuer.RootPem)}}" } }
              }
            }
            """);
        ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--config", config, "--path", path == EveryPath.Software ? "software" : "device"]);
        Uri[] urls = await Listeners.OfAsync(proxy, 3);

        Flow[] flows =
        [
            .. from url in urls
               from version in new[] { SslProtocols.Tls12, SslProtocols.Tls13 }
               select new Flow(url, version, certificate.Certificate, url == urls[2] ? clientCertificate : null),
        ];
        foreach (Flow flow in flows)
        {
            await flow.MeasureAsync();
        }

        await using var crowd = new ClientCrowd(2, urls[0], certificate.Root);
        await crowd.ServeMoreAsync(10);
        int files = FilesOf(proxy);
        int cut = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Count / 2), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            if (await flows[i % flows.Length].CutAsync(i / flows.Length))
            {
                Interlocked.Increment(ref cut);
            }
        });
        await crowd.ServeMoreAsync(10);
        await crowd.StopAsync();

        Assert.Empty(crowd.Failures);
        Assert.InRange(cut, Count / 2 * 9 / 10, Count / 2);
        await Eventually.TrueAsync("nothing is left", async () => await LeftAsync(proxy) == "nothing", Patience);
        await Eventually.TrueAsync("no file is left", () => FilesOf(proxy) <= files + OtherFiles, Patience);
        Assert.DoesNotContain(proxy.Process.Output, static line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal));
        HandshakeStatus status = (await proxy.StatusAsync()).Handshakes;
        output.WriteLine($"{path}: {cut} handshakes cut, {crowd.ServedCount} clients served beside them, {status.Completed} handshakes completed, "
            + $"files {files} before and {FilesOf(proxy)} after; left: {await LeftAsync(proxy)}");
    }

    private static int FilesOf(ProxyProcess proxy) => Directory.GetFileSystemEntries($"/proc/{proxy.Process.Id}/fd").Length;

    private static async Task<string> LeftAsync(ProxyProcess proxy)
    {
        ProxyStatus status = await proxy.StatusAsync();
        return (status.Leaks, status.Connections) is ({ SlotsInUse: 0, OperationsInFlight: 0, LanesBusy: 0 }, { Open: 0, Handshaking: 0, AwaitedHellos: 0, Tls: 0 })
            && status.Handshakes.Waiting == 0
                ? "nothing"
                : $"{status.Leaks} {status.Connections}";
    }

    /// <summary>One kind of handshake, and how many bytes it has.</summary>
    private sealed class Flow(Uri url, SslProtocols version, X509Certificate2 certificate, X509Certificate2? own)
    {
        private long _written;
        private long _read;

        public async Task MeasureAsync()
        {
            CutStream whole = await ConnectAsync(long.MaxValue, long.MaxValue, isReset: false);
            await using var tls = new SslStream(whole);
            await AuthenticateAsync(tls);
            (_written, _read) = (whole.Written, whole.Received);
        }

        /// <summary>Cuts one, at another point each time: of what is sent and what is read in turn, with a reset and an end in turn.</summary>
        public async Task<bool> CutAsync(int number)
        {
            bool ofWritten = number % 4 < 3;

            // A prime, so that all points come before one comes again: the first bytes and the last as well as those between.
            long point = number / 2 * 7919L % ((ofWritten ? _written : _read) + 1);
            try
            {
                CutStream stream = await ConnectAsync(ofWritten ? point : long.MaxValue, ofWritten ? long.MaxValue : point, isReset: number % 2 == 0);
                await using var tls = new SslStream(stream);
                await AuthenticateAsync(tls);
                return false;
            }
            catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or AuthenticationException)
            {
                return true;
            }
        }

        private async Task<CutStream> ConnectAsync(long mayWrite, long mayRead, bool isReset)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, url.Port);
            return new CutStream(socket, mayWrite, mayRead, isReset);
        }

        private Task AuthenticateAsync(SslStream tls) => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = version,
            AllowTlsResume = false,
            ClientCertificates = own is null ? null : [own],
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetRawCertData().AsSpan().SequenceEqual(certificate.RawData),
        }).WaitAsync(Patience);
    }
}
