using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Streaming;

/// <summary>
/// WebSockets and streams as gRPC has them, through the proxy both ways. A few thousand messages; with <c>WARPPROXY_TEST_STREAM_SECONDS</c> set,
/// each test goes on for as long.
/// </summary>
public sealed class StreamingTests(StreamingTests.BothPaths paths, ITestOutputHelper output) : IClassFixture<StreamingTests.BothPaths>, IDisposable
{
    private const int FewestMessages = 2000;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        double.Parse(Environment.GetEnvironmentVariable("WARPPROXY_TEST_STREAM_SECONDS") ?? "0", CultureInfo.InvariantCulture));

    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(10) + Duration);

    public static IEnumerable<object[]> SocketsOfBothPaths =>
        from path in BothPaths.All from way in new[] { "1.1 /h1/socket", "2.0 /h1/socket", "2.0 /socket" } select (object[])[path, way];

    public static TheoryData<string> EachPath => [.. BothPaths.All];

    public void Dispose()
    {
        _limit.Dispose();
        output.WriteLine(paths.Transcript());
    }

    [Theory]
    [MemberData(nameof(SocketsOfBothPaths))]
    public async Task WebSocket_carries_messages_of_both_sides_at_once(string path, string way)
    {
        string[] parts = way.Split(' ');
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = Version.Parse(parts[0]);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using HttpMessageInvoker invoker = new(paths.CreateHandler());
        await socket.ConnectAsync(new UriBuilder(paths.Url(path)) { Scheme = "wss", Path = parts[1] }.Uri, invoker, _limit.Token);
        (int sent, int received) = await new MessageSocket(socket).RunAsync(IsOn, _limit.Token);
        Assert.Equal(sent.ToString(CultureInfo.InvariantCulture), socket.CloseStatusDescription);
        Assert.InRange(received, 1, int.MaxValue);
        output.WriteLine($"{path}, {way}: {sent} messages there, {received} back, in {Stopwatch.GetElapsedTime(_began).TotalSeconds:f1} s");
    }

    [Theory]
    [MemberData(nameof(EachPath))]
    public async Task Stream_answers_each_message_before_the_next_and_ends_with_trailers(string path)
    {
        using HttpClient client = paths.CreateClient();
        using var call = new StreamedCall(client, new Uri(paths.Url(path), "/echo"), _limit.Token);
        int count = 0;
        for (; IsOn(count); count++)
        {
            await call.SendAsync(count);
            NumberedMessage.Check(count, await call.ReadAsync());
        }

        call.EndRequest();
        Assert.Null(await call.ReadAsync());
        AssertTrailers(call, count);
        output.WriteLine($"{path}: {count} messages, in {Stopwatch.GetElapsedTime(_began).TotalSeconds:f1} s");
    }

    [Theory]
    [MemberData(nameof(EachPath))]
    public async Task Streams_carry_messages_of_both_sides_at_once_on_one_connection(string path)
    {
        using HttpClient client = paths.CreateClient();
        (int Sent, int Received)[] counts = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            using var call = new StreamedCall(client, new Uri(paths.Url(path), "/both"), _limit.Token);
            Task<int> receiving = ReceiveAllAsync(call);
            int sent = 0;
            for (; IsOn(sent); sent++)
            {
                await call.SendAsync(sent);
            }

            call.EndRequest();
            int received = await receiving;
            AssertTrailers(call, sent);
            return (sent, received);
        })));
        Assert.All(counts, count => Assert.InRange(count.Received, 1, int.MaxValue));
        output.WriteLine($"{path}: {string.Join(", ", counts)} messages there and back, in {Stopwatch.GetElapsedTime(_began).TotalSeconds:f1} s");
    }

    [Theory]
    [MemberData(nameof(EachPath))]
    public async Task Stream_that_the_upstream_resets_fails_and_the_next_on_its_connection_does_not(string path)
    {
        using HttpClient client = paths.CreateClient();
        using (var call = new StreamedCall(client, new Uri(paths.Url(path), "/break"), _limit.Token))
        {
            for (int i = 0; i < 10; i++)
            {
                NumberedMessage.Check(i, await call.ReadAsync());
            }

            await call.SendAsync(0);
            await Assert.ThrowsAnyAsync<IOException>(() => call.ReadAsync());
        }

        await EchoOnceAsync(client, path);
    }

    [Theory]
    [MemberData(nameof(EachPath))]
    public async Task Stream_that_the_client_resets_ends_for_the_upstream_and_the_next_on_its_connection_does_not(string path)
    {
        using HttpClient client = paths.CreateClient();
        int before = paths.Upstream.AbortedCount;
        using (var call = new StreamedCall(client, new Uri(paths.Url(path), "/both"), _limit.Token))
        {
            await call.SendAsync(0);
            NumberedMessage.Check(0, await call.ReadAsync());

            // Disposed with its body open, and the answer coming: HttpClient sends RST_STREAM.
        }

        await Eventually.TrueAsync("the upstream learns it", () => paths.Upstream.AbortedCount > before);
        await EchoOnceAsync(client, path);
    }

    private async Task EchoOnceAsync(HttpClient client, string path)
    {
        using var call = new StreamedCall(client, new Uri(paths.Url(path), "/echo"), _limit.Token);
        await call.SendAsync(0);
        NumberedMessage.Check(0, await call.ReadAsync());
        call.EndRequest();
        Assert.Null(await call.ReadAsync());
        AssertTrailers(call, 1);
    }

    private bool IsOn(int sent) => sent < FewestMessages || Stopwatch.GetElapsedTime(_began) < Duration;

    private static async Task<int> ReceiveAllAsync(StreamedCall call)
    {
        int count = 0;
        for (; await call.ReadAsync() is { } message; count++)
        {
            NumberedMessage.Check(count, message);
        }

        return count;
    }

    private static void AssertTrailers(StreamedCall call, int received)
    {
        Assert.Equal(["0"], call.Trailers.GetValues("grpc-status"));
        Assert.Equal([received.ToString(CultureInfo.InvariantCulture)], call.Trailers.GetValues("x-received"));
    }

    /// <summary>A proxy for each path of private-key operations, before one upstream.</summary>
    public sealed class BothPaths : IAsyncLifetime, IDisposable
    {
        private readonly Scenario _scenario = new();
        private readonly TestCertificate _certificate = TestCertificate.Rsa(2048);
        private readonly Dictionary<string, ProxyProcess> _proxies = [];

        internal static string[] All { get; } = ["device", "software"];

        internal StreamingUpstream Upstream { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Upstream = await StreamingUpstream.StartAsync();
            string[] arguments = [.. _certificate.WriteTo(_scenario), "--config", Upstream.WriteConfig(_scenario)];
            foreach (string path in All)
            {
                _proxies[path] = await ProxyProcess.StartAsync(_scenario, [.. arguments, "--path", path]);
            }
        }

        public async Task DisposeAsync()
        {
            await _scenario.DisposeAsync();
            await Upstream.DisposeAsync();
        }

        public void Dispose() => _certificate.Dispose();

        internal Uri Url(string path) => _proxies[path].Url;

        internal HttpClient CreateClient() => new(CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };

        internal SocketsHttpHandler CreateHandler()
        {
            var handler = new SocketsHttpHandler();
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(_certificate.Root);
            return handler;
        }

        internal string Transcript() => _scenario.Transcript();
    }
}
