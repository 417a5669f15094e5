using System.Net;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warpproxy probe</c> and <c>warp-emulator probe</c>: what health checks of images run.</summary>
public sealed class ProbeTests(ITestOutputHelper output) : IAsyncDisposable
{
    private const string NoAnswer = "did not answer within 2 seconds.";
    private const int MaxAttempts = 10;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Scenario _scenario = new(output);

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [Fact]
    public async Task Proxy_that_serves_is_found_well_and_other_answers_are_not()
    {
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, ["--path", "software"]);
        string healthy = new Uri(proxy.Admin, "/healthz").ToString();
        string missing = new Uri(proxy.Admin, "/nowhere").ToString();
        Assert.StartsWith($"{healthy} answers 200", await ProbeProxyAsync(0, healthy), StringComparison.Ordinal);
        Assert.StartsWith($"{missing} answers 404:", await ProbeProxyAsync(1, missing), StringComparison.Ordinal);

        // Where the environment sends other clients is none of its business.
        Assert.StartsWith(
            $"{healthy} answers 200", await ProbeProxyAsync(0, healthy, new() { ["HTTP_PROXY"] = "http://127.0.0.1:1", ["http_proxy"] = "http://127.0.0.1:1" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_that_is_not_there_is_told()
    {
        // A port that is taken, and nobody listens there.
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string url = $"http://{taken.LocalEndPoint}/readyz";
        Assert.Matches($"^{url} cannot be asked: Connection refused .*\\.$", await ProbeProxyAsync(1, url));
    }

    [Fact]
    public async Task Proxy_that_says_nothing_is_not_waited_for()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        string url = $"http://{listener.LocalEndpoint}/readyz";
        Assert.Equal($"{url} {NoAnswer}", await ProbeAsync(Executable.Proxy, 1, url));
    }

    [Fact]
    public async Task Url_that_is_none_is_refused()
    {
        RunningProcess probe = _scenario.Start(Executable.Proxy, ["probe", "ready"]);
        Assert.Equal(2, await probe.WaitForExitAsync(Limit));
        Assert.Equal(["The URL to probe is 'ready'; it must be one with http, such as http://127.0.0.1:9902/readyz."], probe.Errors);
        Assert.Empty(probe.Output);
    }

    [Fact]
    public async Task Device_that_serves_is_found_well_also_when_its_queues_are_taken()
    {
        string path = _scenario.File("device.sock");
        await using EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, path, "--queues", "1", "--engine", "scalar");
        Assert.Equal($"{path} serves.", await ProbeEmulatorAsync(0, path));

        // A client: its VERSION takes the only queue, as soon as that of the probe is free.
        using Socket client = await TakeQueueAsync(path);
        Assert.Equal($"{path} serves, and all its queues are taken.", await ProbeEmulatorAsync(0, path));
    }

    [Fact]
    public async Task Device_that_is_gone_or_never_was_is_told()
    {
        string path = _scenario.File("device.sock");
        Assert.StartsWith($"{path} cannot be asked: ", await ProbeEmulatorAsync(1, path), StringComparison.Ordinal);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, path, "--engine", "scalar");
        await emulator.KillAsync();
        Assert.StartsWith($"{path} cannot be asked: Connection refused", await ProbeEmulatorAsync(1, path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", NoAnswer)]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "answers, but not in the vfio-user protocol.")]
    public async Task What_is_no_device_is_told(string answer, string sentence)
    {
        string path = _scenario.File("other.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();

        // Not where the tests take turns: one of them that computes for seconds would keep the answer back for longer than a probe waits.
        Task answering = Task.Run(() => AnswerAsync(listener, System.Text.Encoding.ASCII.GetBytes(answer)));
        Assert.Equal($"{path} {sentence}", await (sentence == NoAnswer ? ProbeAsync(Executable.Emulator, 1, path) : ProbeEmulatorAsync(1, path)));
        listener.Dispose();
        await answering;
    }

    /// <summary>Says the same to whoever connects, and leaves it open; until the listener is disposed.</summary>
    private static async Task AnswerAsync(Socket listener, byte[] answer)
    {
        List<Socket> clients = [];
        try
        {
            while (true)
            {
                Socket client = await listener.AcceptAsync();
                clients.Add(client);
                try
                {
                    await client.SendAsync(answer);
                }
                catch (SocketException)
                {
                    // It has waited long enough, and comes again.
                }
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            clients.ForEach(static client => client.Dispose());
        }
    }

    /// <summary>Sends VERSION until it is not refused.</summary>
    private static async Task<Socket> TakeQueueAsync(string path)
    {
        Socket? client = null;
        await Eventually.TrueAsync("a queue is free", async () =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));

            // Id 7, command 1, 16 bytes of header and 4 of payload: major and minor version 0.
            await socket.SendAsync(new byte[] { 7, 0, 1, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
            byte[] header = new byte[16];
            await using var stream = new NetworkStream(socket);
            await stream.ReadExactlyAsync(header);
            if (header[8] == 1)
            {
                client = socket;
                return true;
            }

            socket.Dispose();
            return false;
        });
        return client!;
    }

    private Task<string> ProbeProxyAsync(int exitCode, string url, Dictionary<string, string>? environment = null) => ProbeAnsweredAsync(Executable.Proxy, exitCode, url, environment);

    private Task<string> ProbeEmulatorAsync(int exitCode, string path) => ProbeAnsweredAsync(Executable.Emulator, exitCode, path);

    /// <summary>Where there is an answer: on a machine that is far too busy it may come later than two seconds, which the probe rightly tells. It then asks again.</summary>
    private async Task<string> ProbeAnsweredAsync(string program, int exitCode, string what, Dictionary<string, string>? environment = null)
    {
        (int ExitCode, string Output) answer = (-1, "");
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            answer = await RunAsync(program, what, environment);
            if (!answer.Output.EndsWith(NoAnswer, StringComparison.Ordinal))
            {
                break;
            }
        }

        Assert.Equal(exitCode, answer.ExitCode);
        return answer.Output;
    }

    private async Task<string> ProbeAsync(string program, int exitCode, string what)
    {
        (int ended, string output) = await RunAsync(program, what);
        Assert.Equal(exitCode, ended);
        return output;
    }

    private async Task<(int ExitCode, string Output)> RunAsync(string program, string what, Dictionary<string, string>? environment = null)
    {
        RunningProcess probe = _scenario.Start(program, ["probe", what], environment);
        int exitCode = await probe.WaitForExitAsync(Limit);
        Assert.Empty(probe.Errors);
        return (exitCode, string.Join('\n', probe.Output));
    }
}
