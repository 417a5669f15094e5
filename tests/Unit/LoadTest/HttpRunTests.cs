using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpProxy.LoadTest;
using WarpProxy.LoadTest.Http;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>Short runs of HTTP/1.1 against a server in this process that plays what the test says. How fast it is does not matter.</summary>
public sealed class HttpRunTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(0.5);

    [Fact]
    public async Task Connections_are_kept()
    {
        await using var server = Server((_, _) => Ok);

        // So many that it does not matter what of them was sent before the measured time.
        HttpResult result = RunUntilDone(server, new Settings(), requests: 10);
        Assert.Equal((0, "2xx", result.Requests), (result.ErrorCount, result.Statuses.Single().Key, result.Statuses.Single().Value));
        Assert.Equal(result.Requests, result.Latency.Count);
        Assert.InRange(server.Connections, 1, 4 * (2 + 1)); // two, and the first that only looks, of up to four runs
        Assert.True(result.BytesReceivedPerSecond > 0 && result.BytesSentPerSecond > result.BytesReceivedPerSecond);
        Assert.Null(result.Tls);
    }

    [Fact]
    public async Task Each_request_has_a_connection_of_its_own_when_told()
    {
        int most = 0;
        await using var server = Server((served, request) =>
        {
            most = Math.Max(most, served);
            Assert.Contains("\r\nConnection: close\r\n", request, StringComparison.Ordinal);
            return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        });
        HttpResult result = RunUntilDone(server, new Settings(IsNewConnectionEach: true));
        Assert.Equal((0, 1), (result.ErrorCount, most));
        Assert.True(server.Connections >= result.Requests);
    }

    [Fact]
    public async Task Server_that_ends_kept_connections_costs_a_new_one_and_no_error()
    {
        // It closes after the third response, without having said so.
        await using var server = Server((served, _) => served < 3 ? Ok : Ok + "\0");
        HttpResult result = RunUntilDone(server, new Settings());
        Assert.Equal(0, result.ErrorCount);
        Assert.True(server.Connections > result.Requests / 3);
    }

    [Fact]
    public async Task Request_that_may_not_be_repeated_is_an_error_there()
    {
        await using var server = Server((_, _) => Ok + "\0");
        var settings = new Settings(Request: new RequestShape { Method = "POST" });
        HttpResult result = RunUntil(server, settings, isHttps: false, static result => result.Requests > 0 && result.ErrorCount > 0);
        Assert.Subset(new HashSet<string> { "closed by the server", "reset by the server" }, result.Errors.Keys.ToHashSet());
    }

    [Fact]
    public async Task Statuses_are_counted_by_class()
    {
        int served = 0;
        await using var server = Server((_, _) => Interlocked.Increment(ref served) % 2 == 0 ? Ok : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        HttpResult result = RunUntil(server, new Settings(), isHttps: false, static result => result.Statuses.Count > 1);
        Assert.Equal(["2xx", "4xx"], result.Statuses.Keys.Order());
        Assert.Equal(result.Requests, result.Statuses.Values.Sum());
        Assert.Equal(0, result.ErrorCount);
        Assert.Contains(result.Warnings, warning => warning.Contains("had a status of 4xx or 5xx", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP response")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort\0", "closed by the server")]
    [InlineData("\0", "closed by the server")]
    public async Task Response_that_is_none_is_an_error(string response, string error)
    {
        await using var server = Server((_, _) => response);
        HttpResult result = RunUntilFailed(server, new Settings());
        Assert.Equal([error], result.Errors.Keys);
        Assert.Equal(0, result.Requests);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "1.2")]
    [InlineData(SslProtocols.Tls13, "1.3")]
    public async Task Bodies_arrive_whole_through_tls(SslProtocols protocols, string version)
    {
        const int Length = 300_000;
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        long bodies = 0;
        await using var server = LoopbackServer.Tls(certificate, protocols, async (tls, token) =>
        {
            byte[] buffer = new byte[64 * 1024];
            while (await ReadHeadAsync(tls, token) is string head)
            {
                Assert.Contains($"\r\nContent-Length: {Length.ToString(CultureInfo.InvariantCulture)}\r\n", head, StringComparison.Ordinal);
                for (int left = Length; left > 0;)
                {
                    int count = await tls.ReadAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)), token);
                    if (count == 0)
                    {
                        return; // the run has ended
                    }

                    left -= count;
                }

                Interlocked.Increment(ref bodies);
                await tls.WriteAsync(Encoding.ASCII.GetBytes(Ok), token);
            }
        });
        HttpResult result = RunUntilDone(server, new Settings(Request: new RequestShape { Method = "PUT", BodyBytes = Length }), isHttps: true);
        Assert.Equal((0, version, "EC"), (result.ErrorCount, result.Tls, result.KeyType));
        Assert.InRange(result.Requests, 1, bodies);
        Assert.True(result.BytesSentPerSecond * result.Seconds >= (result.Requests - 2) * (double)Length);
    }

    [Fact]
    public async Task Answer_before_the_end_of_a_body_counts()
    {
        // It reads the head, answers, and closes with megabytes unread.
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            await using var stream = new NetworkStream(socket);
            if (await ReadHeadAsync(stream, token) is not null)
            {
                await stream.WriteAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), token);
                socket.Shutdown(SocketShutdown.Send);
                await socket.ReceiveAsync(new byte[1024], token);
            }
        });
        HttpResult result = RunUntilDone(server, new Settings(Request: new RequestShape { Method = "POST", BodyBytes = 50_000_000 }));
        Assert.Equal(["4xx"], result.Statuses.Keys);
    }

    [Fact]
    public async Task Open_loop_shows_a_stall_that_a_closed_loop_meets_once_for_each_connection()
    {
        // One request, the first of the run, takes as long as the run; the others are answered at once.
        int isFirst = 1;
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            await using var stream = new NetworkStream(socket);
            while (await ReadHeadAsync(stream, token) is not null)
            {
                if (Interlocked.Exchange(ref isFirst, 0) == 1)
                {
                    await Task.Delay(Short, token);
                }

                await stream.WriteAsync(Encoding.ASCII.GetBytes(Ok), token);
            }
        });
        HttpResult open = Run(server, new Settings(Connections: 1, Rate: 100, Warmup: TimeSpan.Zero));
        Assert.Equal((50, 50), (open.Latency.Count, open.StartDelay!.Count));

        // Those due in the stall wait for its end: 500 ms, 490 ms and so on.
        Assert.True(open.Latency.P50Microseconds >= 200_000, $"{open.Latency}");
        Assert.True(open.StartDelay.P50Microseconds >= 200_000, $"{open.StartDelay}");
    }

    [Fact]
    public async Task Open_loop_counts_what_a_silent_server_leaves_unanswered()
    {
        await using var server = LoopbackServer.Raw((_, token) => Task.Delay(Timeout.Infinite, token));
        HttpResult result = Run(server, new Settings(Rate: 100, Threads: 2, Warmup: TimeSpan.Zero));
        Assert.Equal((0, 50), (result.Requests, result.Unfinished));
        Assert.True(result.Latency.MinMicroseconds >= 1_000_000, $"{result.Latency}");
        Assert.Contains(result.Warnings, warning => warning.StartsWith("50 requests that were due", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, "http")]
    [InlineData(true, "http")]
    [InlineData(true, "https")]
    public void Port_without_a_listener_is_told_in_one_sentence(bool isHttp2, string scheme)
    {
        var target = LoadTarget.Parse($"{scheme}://127.0.0.1:{LoopbackServer.Refusing().Port}", out _, isPlainAllowed: true)!;
        using var interruption = new Interruption();
        LoadFailure failure = Assert.Throws<LoadFailure>(() => HttpRun.Execute(
            new HttpOptions { Target = target, IsHttp2 = isHttp2 }, new LiveLine(TextWriter.Null, false), interruption));
        Assert.Equal($"The first connection to {target.Url} failed: connect refused.", failure.Message);
        Assert.Equal(LoadFailure.NothingMeasured, failure.ExitCode);
    }

    /// <summary>Answers each request with what <paramref name="respond"/> says of its number on the connection and its head; a zero byte is the end.</summary>
    private static LoopbackServer Server(Func<int, string, string> respond) => LoopbackServer.Raw(async (socket, token) =>
    {
        await using var stream = new NetworkStream(socket);
        for (int served = 1; await ReadHeadAsync(stream, token) is string head; served++)
        {
            string response = respond(served, head);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(response.TrimEnd('\0')), token);
            if (response.EndsWith('\0') || response.Contains("Connection: close", StringComparison.Ordinal))
            {
                socket.Shutdown(SocketShutdown.Send);
                await socket.ReceiveAsync(new byte[16], token);
                return;
            }
        }
    });

    /// <summary>To the empty line; null at the end of the connection. Reads byte by byte, so that a body stays in the stream.</summary>
    private static async Task<string?> ReadHeadAsync(Stream stream, CancellationToken token)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (await stream.ReadAsync(one, token) > 0)
        {
            head.Append((char)one[0]);
            if (head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n")
            {
                return head.ToString();
            }
        }

        return null;
    }

    /// <summary>On a busy machine a short run may be too short: runs again, four times as long.</summary>
    private static HttpResult RunUntilDone(LoopbackServer server, Settings settings, int requests = 1, bool isHttps = false) =>
        RunUntil(server, settings, isHttps, result => result.Requests >= requests);

    private static HttpResult RunUntilFailed(LoopbackServer server, Settings settings) =>
        RunUntil(server, settings, isHttps: false, static result => result.ErrorCount > 0);

    private static HttpResult RunUntil(LoopbackServer server, Settings settings, bool isHttps, Func<HttpResult, bool> isEnough)
    {
        for (TimeSpan measured = Short; measured < TimeSpan.FromMinutes(1); measured *= 4)
        {
            HttpResult result = Run(server, settings with { Measured = measured }, isHttps);
            if (isEnough(result))
            {
                return result;
            }
        }

        throw new TimeoutException("Nothing in half a minute.");
    }

    private static HttpResult Run(LoopbackServer server, Settings settings, bool isHttps = false)
    {
        using var interruption = new Interruption();
        return HttpRun.Execute(
            new HttpOptions
            {
                Target = LoadTarget.Parse($"{(isHttps ? "https" : "http")}://127.0.0.1:{server.Address.Port}/page", out _, isPlainAllowed: true)!,
                Connections = settings.Connections,
                Threads = settings.Threads,
                Rate = settings.Rate,
                IsNewConnectionEach = settings.IsNewConnectionEach,
                Measured = settings.Measured ?? Short,
                Warmup = settings.Warmup ?? TimeSpan.FromSeconds(0.2),
                Timeout = TimeSpan.FromSeconds(30),
                Request = settings.Request ?? new RequestShape(),
            },
            new LiveLine(TextWriter.Null, false),
            interruption);
    }

    private sealed record Settings(
        RequestShape? Request = null,
        bool IsNewConnectionEach = false,
        double? Rate = null,
        int Connections = 2,
        int Threads = 1,
        TimeSpan? Warmup = null,
        TimeSpan? Measured = null);
}
