using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Configurations that change while the proxy serves: what is good is taken into use, what is bad is refused whole.</summary>
public sealed class ConfigurationReloadTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("rename")]
    [InlineData("in place")]
    [InlineData("link")]
    [InlineData("signal")]
    public async Task Routes_change_without_a_restart(string way)
    {
        await using var scenario = new Scenario(output);
        await using WebApplication first = await AnswerAsync("first");
        await using WebApplication second = await AnswerAsync("second");
        using var certificate = TestCertificate.Rsa(2048);
        Directory.CreateDirectory(scenario.File("..one"));
        Directory.CreateDirectory(scenario.File("..two"));
        scenario.Write("..one/proxy.json", Routes(first));
        scenario.Write("..two/proxy.json", Routes(second));
        Link(scenario, "..data", "..one");
        File.CreateSymbolicLink(scenario.File("proxy.json"), "..data/proxy.json");
        await using ProxyProcess proxy = await StartAsync(scenario, certificate, way == "signal" ? "01:00:00" : "00:00:00.1");
        using HttpClient client = Upstream.Client(certificate);
        Assert.Equal("first", await client.GetStringAsync(proxy.Url));
        switch (way)
        {
            case "rename":
                scenario.Write("new.json", Routes(second));
                File.Move(scenario.File("new.json"), scenario.File("proxy.json"), overwrite: true);
                break;
            case "in place":
                await proxy.Process.UnseenAsync(() => File.WriteAllText(scenario.File("proxy.json"), Routes(second)));
                break;
            default:
                Link(scenario, "..data", "..two");
                break;
        }

        if (way == "signal")
        {
            proxy.Process.Send(Signal.Hangup);
        }

        await Eventually.TrueAsync("the second one answers", async () => await client.GetStringAsync(proxy.Url) == "second", Patience);
        await Eventually.TrueAsync("it is counted", async () => await CountsAsync(proxy) == (1, 0), Patience);
        await proxy.Process.HearAsync(line => line.EndsWith($"Configuration reloaded from {scenario.File("proxy.json")}: ReverseProxy:Clusters:one", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("no JSON", """{ "ReverseProxy": """)]
    [InlineData("unknown setting", """{ "Offload": { "Devise": [ "none" ] } }""")]
    [InlineData("wrong values", """{ "Offload": { "Depth": 300 }, "Tls": { "Lanes": 0 }, "Listeners": { "more": { "Url": "https://127.0.0.1:0" } } }""")]
    [InlineData("certificate that is not there", """{ "Certificates": { "more": { "File": "/nowhere/more.pem" } }, "Logging": { "LogLevel": { "Default": "Debug" } } }""")]
    [InlineData("unknown cluster", """{ "ReverseProxy": { "Routes": { "one": { "ClusterId": "gone", "Match": { "Path": "{**all}" } } } } }""")]
    [InlineData("suite that nobody knows", """{ "Protocol": { "CipherSuites": [ "TLS_NONE" ] }, "ClientCertificates": { "Mode": "required", "CaFile": "/nowhere/ca.pem" } }""")]
    public async Task Bad_configuration_is_refused_whole_in_the_words_of_check(string mistake, string json)
    {
        await using var scenario = new Scenario(output);
        await using WebApplication first = await AnswerAsync("first");
        await using WebApplication second = await AnswerAsync("second");
        using var certificate = TestCertificate.Rsa(2048);
        scenario.Write("proxy.json", Routes(first));
        await using ProxyProcess proxy = await StartAsync(scenario, certificate);
        using HttpClient client = Upstream.Client(certificate);
        Assert.Equal("first", await client.GetStringAsync(proxy.Url));
        scenario.Write("new.json", json);
        File.Move(scenario.File("new.json"), scenario.File("proxy.json"), overwrite: true);
        await Eventually.TrueAsync($"{mistake} is refused", async () => await CountsAsync(proxy) == (0, 1), Patience);

        await using RunningProcess check = scenario.Start(Executable.Proxy, ["check", .. Arguments(scenario)]);
        Assert.Equal(2, await check.WaitForExitAsync(Patience));
        Assert.Equal(check.Errors, await RefusalAsync(proxy));
        Assert.Equal("first", await client.GetStringAsync(proxy.Url));
        Assert.Single(proxy.ReadUrls());
        Assert.True(await IsFileRefusedAsync(proxy));

        // Nothing of it is left in the way of a good one.
        scenario.Write("new.json", Routes(second));
        File.Move(scenario.File("new.json"), scenario.File("proxy.json"), overwrite: true);
        await Eventually.TrueAsync("the second one answers", async () => await client.GetStringAsync(proxy.Url) == "second", Patience);
        await Eventually.TrueAsync("it is counted", async () => await CountsAsync(proxy) == (1, 1), Patience);
        Assert.False(await IsFileRefusedAsync(proxy));
        await proxy.Process.HearAsync(static line => line.Contains("Configuration refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Address_that_is_taken_refuses_the_whole_configuration_until_it_is_free()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        scenario.Write("proxy.json", "{}");
        await using ProxyProcess proxy = await StartAsync(scenario, certificate);
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string json = $$"""{ "Listeners": { "a": { "Url": "https://127.0.0.1:0" }, "b": { "Url": "https://{{taken.LocalEndpoint}}" } } }""";
        Replace(scenario, json);
        await Eventually.TrueAsync("it is refused", async () => await CountsAsync(proxy) == (0, 1), Patience);
        Assert.Contains($"Nothing can listen on https://{taken.LocalEndpoint}", (await RefusalAsync(proxy))[0], StringComparison.Ordinal);
        Assert.Single(proxy.ReadUrls());
        taken.Stop();

        // Nobody has touched the file.
        await Eventually.TrueAsync("it is tried again", async () => await CountsAsync(proxy) == (1, 1), Patience);
        await Eventually.TrueAsync("both listeners are told", () => proxy.ReadUrls().Count == 3, Patience);
    }

    [Fact]
    public async Task Listeners_come_and_go_while_connections_of_others_stay()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        scenario.Write("proxy.json", "{}");
        await using ProxyProcess proxy = await StartAsync(scenario, certificate);
        using HttpClient client = Upstream.Client(certificate);
        client.DefaultRequestVersion = HttpVersion.Version20;
        Replace(scenario, """{ "Listeners": { "more": { "Url": "https://127.0.0.1:0" } } }""");
        await Eventually.TrueAsync("there is one more", () => proxy.ReadUrls().Count == 2, Patience);
        Uri more = proxy.ReadUrls()[1];
        Assert.Contains("WarpProxy is serving", await client.GetStringAsync(more), StringComparison.Ordinal);
        Assert.Contains("WarpProxy is serving", await client.GetStringAsync(proxy.Url), StringComparison.Ordinal);
        using var idle = new TcpClient();
        await idle.ConnectAsync(more.Host, more.Port);
        await using var tls = new SslStream(idle.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = AnyOf(certificate) });

        Replace(scenario, "{}");
        await Eventually.TrueAsync("it is gone", async () => await CannotConnectAsync(more), Patience);
        Assert.Equal(0, await tls.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.Contains("WarpProxy is serving", await client.GetStringAsync(proxy.Url), StringComparison.Ordinal);
        Assert.Empty(proxy.Process.Errors);
    }

    [Fact]
    public async Task Environment_stays_stronger_than_a_file_that_changes_and_what_waits_for_a_restart_is_told()
    {
        await using var scenario = new Scenario(output);
        await using WebApplication first = await AnswerAsync("first");
        await using WebApplication second = await AnswerAsync("second");
        using var certificate = TestCertificate.Rsa(2048);
        scenario.Write("proxy.json", Routes(second));
        await using ProxyProcess proxy = await StartAsync(
            scenario, certificate, more: ("WARPPROXY_ReverseProxy__Clusters__one__Destinations__here__Address", first.Urls.First()));
        using HttpClient client = Upstream.Client(certificate);
        Assert.Equal("first", await client.GetStringAsync(proxy.Url));
        Replace(scenario, Routes(second, """, "Tls": { "Lanes": 3, "HandshakeTimeout": "00:00:09" }, "Hsts": { "MaxAge": "01:00:00" }, "Server": { "Processors": "shared" }"""));
        await Eventually.TrueAsync("it is taken", async () => await CountsAsync(proxy) == (1, 0), Patience);

        using HttpResponseMessage response = await client.GetAsync(proxy.Url);
        Assert.Equal("first", await response.Content.ReadAsStringAsync());
        await proxy.Process.HearAsync(static line => line.EndsWith("Changed settings that wait for a restart: Server:Processors, Tls:Lanes", StringComparison.Ordinal));
        JsonElement status = await StatusAsync(proxy);
        Assert.Equal(["Server:Processors", "Tls:Lanes"], status.GetProperty("waitingForRestart").EnumerateArray().Select(static one => one.GetString()));
    }

    [Fact]
    public async Task Signal_has_a_file_read_that_has_not_changed()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        scenario.Write("proxy.json", "{}");
        await using ProxyProcess proxy = await StartAsync(scenario, certificate, "01:00:00");
        proxy.Process.Send(Signal.Hangup);
        await Eventually.TrueAsync(
            "it says so", () => proxy.Process.Output.Any(static line => line.EndsWith("nothing has changed", StringComparison.Ordinal)), Patience);
        Assert.Equal((0, 0), await CountsAsync(proxy));
    }

    [Fact]
    public async Task Crowd_and_long_connections_see_no_failure_during_twenty_reloads_with_bad_ones_in_between()
    {
        await using var scenario = new Scenario(output);
        await using WebApplication first = await AnswerAsync("first: WarpProxy is serving");
        await using WebApplication second = await AnswerAsync("second: WarpProxy is serving");
        using var issuer = new TestIssuer();
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        Issue(scenario, issuer, 0);
        scenario.Write("proxy.json", Changing(scenario, 0, first, emulator));
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", scenario.File("proxy.json")], Environment());
        await using var crowd = new ClientCrowd(4, proxy.Url, issuer.Root);
        int connections = 0;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                Interlocked.Increment(ref connections);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.CertificateChainPolicy = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
        {
            TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
            RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(issuer.Root);
        using var client = new HttpClient(handler) { Timeout = Patience, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var url = new UriBuilder(proxy.Url) { Host = "localhost" }.Uri;
        Assert.StartsWith("first", await client.GetStringAsync(url), StringComparison.Ordinal);
        for (int i = 1; i <= 20; i++)
        {
            Issue(scenario, issuer, i);
            if (i % 4 == 0)
            {
                Replace(scenario, """{ "Offload": { "Depth": 3 } }""");
                int refused = i / 4;
                await Eventually.TrueAsync("it is refused", async () => (await CountsAsync(proxy)).Refused == refused, Patience);
            }

            Replace(scenario, Changing(scenario, i, i % 2 == 0 ? first : second, emulator));
            await Eventually.TrueAsync($"reload {i} is taken", async () => (await CountsAsync(proxy)).Reloads == i, Patience);
            string expected = i % 2 == 0 ? "first" : "second";
            await Eventually.TrueAsync("the next request goes there", async () => (await client.GetStringAsync(url)).StartsWith(expected, StringComparison.Ordinal), Patience);
            await crowd.ServeMoreAsync(5);
        }

        await crowd.StopAsync();
        Assert.Empty(crowd.Failures);
        Assert.Equal(1, connections);
        Assert.Equal((20, 5), await CountsAsync(proxy));
        await Eventually.TrueAsync("nothing of the others is held", async () => await HeldAsync(proxy) == (0, 1), Patience);
        proxy.Process.Send(Signal.Terminate);
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(Patience));
        Assert.Empty(proxy.Process.Errors);
    }

    [Fact]
    public async Task Fifty_reloads_leave_nothing_behind()
    {
        await using var scenario = new Scenario(output);
        await using WebApplication first = await AnswerAsync("first");
        using var issuer = new TestIssuer();
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        string ca = scenario.Write("ca.pem", issuer.Root.ExportCertificatePem());
        Issue(scenario, issuer, 0);
        Issue(scenario, issuer, 1);
        string[] two = [.. Enumerable.Range(0, 2).Select(i => Changing(scenario, i, first, emulator, $$"""
            , "Listeners": { "own": {
                "Url": "https://127.0.0.1:0", "Tickets": { "Keys": [ "{{scenario.File($"ticket{i}")}}" ] },
                "ClientCertificates": { "Mode": "optional", "CaFile": "{{ca}}", "Depth": {{i + 2}} } } }
            """))];
        foreach (int i in new[] { 0, 1 })
        {
            await File.WriteAllBytesAsync(scenario.File($"ticket{i}"), System.Security.Cryptography.RandomNumberGenerator.GetBytes(80));
        }

        scenario.Write("proxy.json", two[0]);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", scenario.File("proxy.json")], Environment());
        int count = 0;

        // Twice each, so that all is there that comes with the first time. The device is opened in the background, queue by queue.
        await ReloadAsync(4);
        await proxy.HasQueuesAsync(4);
        (int files, int looks) = (-1, 0);
        await Eventually.TrueAsync("files have come to rest", async () =>
        {
            int before = files;
            files = CountDeviceFiles(proxy);
            looks = before == files ? looks + 1 : 0;
            return looks >= 25 && await HeldAsync(proxy) == (0, 1);
        }, Patience);
        long watches = await WatchesAsync(proxy);
        await ReloadAsync(50);

        await Eventually.TrueAsync("keys are what they were", async () => await HeldAsync(proxy) == (0, 1), Patience);

        // What of before the fifty was still being closed when they were counted makes them fewer, and what each reload leaves more by far.
        await Eventually.TrueAsync($"files are the {files} that they were", () => CountDeviceFiles(proxy) <= files, Patience);
        await Eventually.TrueAsync($"watches are the {watches} that they were", async () => await WatchesAsync(proxy) <= watches, Patience);

        async Task ReloadAsync(int times)
        {
            for (int i = 0; i < times; i++)
            {
                Replace(scenario, two[++count % 2]);
                await Eventually.TrueAsync($"reload {count} is taken", async () => (await CountsAsync(proxy)).Reloads == count, Patience);
                using HttpClient http = Client(issuer);
                Assert.Equal("first", await http.GetStringAsync(new UriBuilder(proxy.Url) { Host = "localhost" }.Uri));
            }
        }
    }

    /// <summary>What devices are reached through: shared memory, and what wakes who waits. (Other files come when code is first used, and sockets with clients.)</summary>
    private static int CountDeviceFiles(ProxyProcess proxy) =>
        new DirectoryInfo($"/proc/{proxy.Process.Id}/fd").GetFiles().Count(static file => file.LinkTarget is { } target
            && (target.Contains("memfd:", StringComparison.Ordinal) || target.Contains("[eventfd]", StringComparison.Ordinal)));

    private static HttpClient Client(TestIssuer issuer)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
        {
            TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
            RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(issuer.Root);
        return new HttpClient(handler) { Timeout = Patience };
    }

    /// <summary>Another certificate each time, another path every second time, another device every third.</summary>
    private static string Changing(Scenario scenario, int number, WebApplication upstream, EmulatorProcess emulator, string more = "") => Routes(upstream, $$"""
        , "Certificates": { "site{{number % 2}}": { "File": "{{scenario.File($"{number}.pem")}}", "Path": "{{(number % 4 == 1 ? "software" : "device")}}" } },
        "Offload": { "Devices": [ "{{(number % 3) switch { 0 => emulator.DeviceUri, 1 => "embedded:", _ => "none" }}}" ], "QueuesPerDevice": {{4 + (number % 2)}} }{{more}}
        """);

    private static void Issue(Scenario scenario, TestIssuer issuer, int number)
    {
        (string certificate, string key, _) = issuer.Issue(isRsa: true, "localhost");
        scenario.Write($"{number}.pem", certificate + key);
    }

    private static async Task<WebApplication> AnswerAsync(string text)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication application = builder.Build();
        application.Run(context => context.Response.WriteAsync(text));
        await application.StartAsync();
        return application;
    }

    private static string Routes(WebApplication upstream, string more = "") => $$"""
        {
          "ReverseProxy": {
            "Routes": { "one": { "ClusterId": "one", "Match": { "Path": "{**all}" } } },
            "Clusters": { "one": { "Destinations": { "here": { "Address": "{{upstream.Urls.First()}}" } } } }
          }{{more}}
        }
        """;

    private static string[] Arguments(Scenario scenario) =>
        ["--certificate", scenario.File("certificate.pem"), "--key", scenario.File("key.pem"), "--config", scenario.File("proxy.json")];

    private static Task<ProxyProcess> StartAsync(
        Scenario scenario, TestCertificate certificate, string interval = "00:00:00.1", params (string Name, string Value)[] more)
    {
        var environment = new Dictionary<string, string> { ["WARPPROXY_Files__Interval"] = interval };
        foreach ((string name, string value) in more)
        {
            environment[name] = value;
        }

        certificate.WriteTo(scenario);
        return ProxyProcess.StartAsync(scenario, Arguments(scenario), environment);
    }

    private static Dictionary<string, string> Environment() => new(ProxyProcess.LongDeadline) { ["WARPPROXY_Files__Interval"] = "00:00:00.1" };

    private static void Replace(Scenario scenario, string json)
    {
        scenario.Write("new.json", json);
        File.Move(scenario.File("new.json"), scenario.File("proxy.json"), overwrite: true);
    }

    /// <summary>As Kubernetes does it: one rename replaces the link.</summary>
    private static void Link(Scenario scenario, string name, string target)
    {
        string temporary = scenario.File(name + "_tmp");
        File.CreateSymbolicLink(temporary, target);
        Assert.Equal(0, Signals.Rename(temporary, scenario.File(name)));
    }

    private static RemoteCertificateValidationCallback AnyOf(TestCertificate certificate) =>
        (_, shown, _, _) => shown!.GetCertHashString() == certificate.Certificate.Thumbprint;

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

    private static async Task<JsonElement> StatusAsync(ProxyProcess proxy)
    {
        using var client = new HttpClient();
        return (await client.GetFromJsonAsync<JsonElement>(new Uri(proxy.Admin, "/status"))).GetProperty("configuration").Clone();
    }

    private static async Task<(long Reloads, long Refused)> CountsAsync(ProxyProcess proxy)
    {
        JsonElement status = await StatusAsync(proxy);
        return (status.GetProperty("reloads").GetInt64(), status.GetProperty("refused").GetInt64());
    }

    private static async Task<long> WatchesAsync(ProxyProcess proxy) => (await StatusAsync(proxy)).GetProperty("watches").GetInt64();

    private static async Task<bool> IsFileRefusedAsync(ProxyProcess proxy)
    {
        using var client = new HttpClient();
        string metrics = await client.GetStringAsync(new Uri(proxy.Admin, "/metrics"));
        bool isRefused = (await StatusAsync(proxy)).GetProperty("isFileRefused").GetBoolean();
        Assert.Contains($"\nwarpproxy_configuration_refused {(isRefused ? 1 : 0)}\n", metrics, StringComparison.Ordinal);
        return isRefused;
    }

    private static async Task<string[]> RefusalAsync(ProxyProcess proxy) =>
        [.. (await StatusAsync(proxy)).GetProperty("lastRefusal").GetProperty("problems").EnumerateArray().Select(static one => one.GetString()!)];

    /// <summary>Slots, operations and lanes together, and certificates; and no more keys than certificates.</summary>
    private static async Task<(int Busy, int Certificates)> HeldAsync(ProxyProcess proxy)
    {
        ProxyStatus status = await proxy.StatusAsync();
        int keys = Math.Max(0, status.Certificates.DeviceKeys - status.Certificates.Count);
        return (status.Leaks.SlotsInUse + status.Leaks.OperationsInFlight + status.Leaks.LanesBusy + keys, status.Certificates.Count);
    }
}
