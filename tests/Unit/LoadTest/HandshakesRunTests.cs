using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>Short runs against a server in this process. How fast it is does not matter.</summary>
public sealed class HandshakesRunTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(0.5);

    [Fact]
    public async Task Every_connection_sends_one_request_and_asks_for_the_names_in_turn()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        List<string> names = [];
        List<string> requests = [];
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.None, async (tls, token) =>
        {
            byte[] buffer = new byte[4096];
            int length = await tls.ReadAsync(buffer, token);
            if (length == 0)
            {
                return; // cut at the end of the run
            }

            lock (names)
            {
                names.Add(tls.TargetHostName);
                requests.Add(Encoding.ASCII.GetString(buffer, 0, length));
            }

            await tls.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"u8.ToArray(), token);
        });
        int port = server.Address.Port;
        HandshakesResult result = RunUntilDone(server, new Settings(Names: ["one.example", "two.example"], IsRequesting: true), handshakes: 2);

        // One that was cut at the end of the run may still be served.
        await server.DisposeAsync();
        Assert.Equal(0, result.ErrorCount);
        Assert.Equal(result.Latency.Count, result.Response!.Count);
        Assert.All(requests, request => Assert.StartsWith($"GET /page HTTP/1.1\r\nHost: localhost:{port}\r\n", request, StringComparison.Ordinal));
        int difference = names.Count(name => name == "one.example") - names.Count(name => name == "two.example");
        Assert.InRange(difference, -16, 16); // those of the probe, and those cut at the end, of up to four runs
        Assert.Equal(["one.example", "two.example"], names.Distinct().Order());
    }

    [Fact]
    public async Task Statuses_of_failure_are_errors()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        int served = 0;
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.None, async (tls, token) =>
        {
            await tls.ReadExactlyAsync(new byte[16], token); // the rest does not matter
            string status = Interlocked.Increment(ref served) == 1 ? "200 OK" : "503 Service Unavailable";
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), token);
        });
        HandshakesResult result = RunUntil(run => run.ErrorCount > 0, server, new Settings(IsRequesting: true));
        Assert.Equal(["HTTP status 503"], result.Errors.Keys);
        Assert.Equal(0, result.Handshakes);
    }

    [Theory]
    [InlineData(TlsVersion.Tls12, SslProtocols.Tls12)]
    [InlineData(TlsVersion.Tls13, SslProtocols.Tls13)]
    public async Task Half_of_the_connections_resume_when_half_shall(TlsVersion version, SslProtocols protocols)
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, protocols, LoopbackServer.ReadToEndAsync);
        HandshakesResult result = RunUntilDone(server, new Settings(version, Resume: 0.5), handshakes: 20);
        Assert.InRange(result.ResumedShare, 0.3, 0.6);
        Assert.Equal(0, result.ErrorCount);
    }

    [Fact]
    public async Task No_connection_resumes_unless_told()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.None, LoopbackServer.ReadToEndAsync);
        HandshakesResult result = RunUntilDone(server, new Settings(), handshakes: 1);
        Assert.Equal((0.0, result.Handshakes), (result.ResumedShare, result.FullHandshakes));
    }

    [Fact]
    public async Task Open_loop_counts_what_a_silent_server_leaves_unanswered()
    {
        // One connection is answered, the probe's; after it the server is silent, and of 100 connections that are due two may be open.
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        int count = 0;
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            if (Interlocked.Increment(ref count) == 1)
            {
                await using var tls = new System.Net.Security.SslStream(new System.Net.Sockets.NetworkStream(socket));
                await tls.AuthenticateAsServerAsync(certificate);
                await LoopbackServer.ReadToEndAsync(tls, token);
            }
            else
            {
                await Task.Delay(Timeout.Infinite, token);
            }
        });
        HandshakesResult result = Run(server, new Settings(Rate: 200, Warmup: TimeSpan.Zero));
        Assert.Equal(0, result.Handshakes);
        Assert.Equal(100, result.Unfinished);
        Assert.Equal((100, 100), (result.Latency.Count, result.StartDelay!.Count));

        // They were due over half a second, and the run waits another second for answers.
        Assert.True(result.Latency.MinMicroseconds >= 1_000_000, $"{result.Latency}");
        Assert.True(result.Latency.MaxMicroseconds >= 1_490_000, $"{result.Latency}");
        Assert.Contains(result.Warnings, warning => warning.StartsWith("100 connections that were due", StringComparison.Ordinal));

        // Those two have waited in the kernel for a server that may not have come to take them yet.
        Assert.True(SpinWait.SpinUntil(() => server.Connections == 1 + 2, TimeSpan.FromSeconds(60)), $"{server.Connections} connections");
    }

    [Fact]
    public async Task Several_threads_share_the_connections_and_the_rate()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.None, LoopbackServer.ReadToEndAsync);
        HandshakesResult result = Run(server, new Settings(Rate: 40, Threads: 3, Connections: 300, Warmup: TimeSpan.Zero));
        Assert.Equal(0, result.ErrorCount);
        Assert.Equal(20, result.StartDelay!.Count);
        Assert.Equal(20, result.Latency.Count); // 40 per second for half a second, each of them, in time or not
    }

    [Fact]
    public void Server_that_refuses_is_told_in_one_sentence()
    {
        var target = LoadTarget.Parse($"https://127.0.0.1:{LoopbackServer.Refusing().Port}", out _)!;
        using var interruption = new Interruption();
        LoadFailure failure = Assert.Throws<LoadFailure>(() => HandshakesRun.Execute(
            new HandshakesOptions { Target = target, Names = [new TlsServerName("localhost")] }, new LiveLine(TextWriter.Null, false), interruption));
        Assert.Equal($"The first connection to {target.Url} failed: connect refused.", failure.Message);
        Assert.Equal(LoadFailure.NothingMeasured, failure.ExitCode);
    }

    [Theory]
    [InlineData("FOO", null, "OpenSSL knows no cipher of 'FOO'")]
    [InlineData(null, "X25519:FOO", "OpenSSL does not know all groups of 'X25519:FOO'")]
    public void Unknown_ciphers_and_groups_are_bad_input(string? ciphers, string? groups, string beginning)
    {
        using var interruption = new Interruption();
        var options = new HandshakesOptions
        {
            Target = LoadTarget.Parse("https://localhost", out _)!,
            Names = [new TlsServerName("localhost")],
            Tls = new TlsClientOptions { CipherList = ciphers, Groups = groups },
        };
        LoadFailure failure = Assert.Throws<LoadFailure>(() => HandshakesRun.Execute(options, new LiveLine(TextWriter.Null, false), interruption));
        Assert.StartsWith(beginning, failure.Message, StringComparison.Ordinal);
        Assert.Equal(LoadFailure.BadInput, failure.ExitCode);
    }

    private static HandshakesResult RunUntilDone(LoopbackServer server, Settings settings, int handshakes) =>
        RunUntil(run => run.Handshakes >= handshakes, server, settings);

    /// <summary>On a busy machine a short run may be too short: runs again, four times as long.</summary>
    private static HandshakesResult RunUntil(Predicate<HandshakesResult> isDone, LoopbackServer server, Settings settings)
    {
        HandshakesResult result;
        TimeSpan measured = Short;
        do
        {
            result = Run(server, settings with { Measured = measured });
            measured *= 4;
        }
        while (!isDone(result) && measured < TimeSpan.FromMinutes(1));
        Assert.True(isDone(result), $"{result.Handshakes} handshakes, {result.ErrorCount} errors");
        return result;
    }

    private static HandshakesResult Run(LoopbackServer server, Settings settings)
    {
        using var interruption = new Interruption();
        return HandshakesRun.Execute(
            new HandshakesOptions
            {
                Target = LoadTarget.Parse(server.Url.ToString(), out _)!,
                Connections = settings.Connections,
                Threads = settings.Threads,
                Rate = settings.Rate,
                Measured = settings.Measured ?? Short,
                Warmup = settings.Warmup ?? TimeSpan.FromSeconds(0.3),
                Resume = settings.Resume,
                IsRequesting = settings.IsRequesting,
                Timeout = TimeSpan.FromSeconds(30),
                Names = [.. (settings.Names ?? ["localhost"]).Select(name => new TlsServerName(name))],
                Tls = new TlsClientOptions { LowestVersion = settings.Version, HighestVersion = settings.Version },
            },
            new LiveLine(TextWriter.Null, false),
            interruption);
    }

    private sealed record Settings(
        TlsVersion Version = TlsVersion.Any,
        double Resume = 0,
        string[]? Names = null,
        bool IsRequesting = false,
        double? Rate = null,
        int Connections = 2,
        int Threads = 1,
        TimeSpan? Warmup = null,
        TimeSpan? Measured = null);
}
