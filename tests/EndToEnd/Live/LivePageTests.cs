using System.Net;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Live;

/// <summary>
/// The live page, seen by a browser. Pictures of it are kept beside the tests' program; those of docs/images were made with <c>WARP_PICTURE_SECONDS</c>, which
/// lets the load go on so long before each.
/// </summary>
public sealed class LivePageTests(ITestOutputHelper output)
{
    private const string Chromium = "chromium";

    // The last points of both paths in both charts of latency stand as numbers below them.
    private const string BothHavePoints = """
        [...document.querySelectorAll('#chart-p50 .u-value, #chart-p99 .u-value')].filter(one => /\d/.test(one.textContent)).length >= 4
        && [...document.querySelectorAll('canvas')].every(canvas => canvas.width > 0)
        """;

    private static readonly int PictureSeconds =
        int.TryParse(Environment.GetEnvironmentVariable("WARP_PICTURE_SECONDS"), System.Globalization.CultureInfo.InvariantCulture, out int seconds) ? seconds : 0;

    // Long keys are where an emulated device pays on every processor; for a test short ones are as good, and quicker.
    private static readonly int Bits = PictureSeconds > 0 ? 4096 : 2048;

    [DebianPackageFact(Chromium, Browser.Path)]
    public async Task Page_shows_both_paths_moving_under_load()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(Bits);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario,
            certificate.WriteTo(scenario),
            new Dictionary<string, string>
            {
                ["WARPPROXY_Offload__Path"] = "compare",
                ["WARPPROXY_Offload__CompareShare"] = PictureSeconds > 0 ? "0.9" : "0.5",
                ["WARPPROXY_Offload__Deadline"] = "00:00:10",
            });
        await using Browser browser = await OpenAsync(scenario, proxy);
        Assert.Equal("No handshake in the last 5 minutes.", await browser.TextAsync("h1"));
        await KeepAsync(browser, "idle");

        await using var load = new HandshakeLoad(new TlsClient(proxy.Url, certificate.Root), PictureSeconds > 0 ? 48 : 4);
        await Eventually.TrueAsync(
            "the page compares both paths", async () => (await browser.TextAsync("h1")).Contains($"CPU per RSA-{Bits} handshake", StringComparison.Ordinal));
        await Eventually.TrueAsync("the charts have points of both", () => browser.EvaluateAsync<bool>(BothHavePoints));
        (long device, long software) = await ReadCountsAsync(browser);
        Assert.True(device > 0 && software > 0, $"{device} and {software}");
        await Eventually.TrueAsync("both numbers grow", async () => await ReadCountsAsync(browser) is var (more, others) && more > device && others > software);
        Assert.Contains("compute", await browser.TextAsync("#slowest"), StringComparison.Ordinal);
        Assert.Contains("embedded:", await browser.TextAsync("#devices"), StringComparison.Ordinal);
        await WaitForPictureAsync();
        await KeepAsync(browser, "load");

        string light = await browser.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        await browser.UseColorSchemeAsync("dark");
        await Eventually.TrueAsync("the page turns dark", async () => await browser.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor") != light);
        await KeepAsync(browser, "load-dark");

        await browser.ResizeAsync(360, 740, 2);
        await Eventually.TrueAsync("the page fits a phone", () => browser.EvaluateAsync<bool>("innerWidth === 360 && document.documentElement.scrollWidth <= 360"));
        await Eventually.TrueAsync("and so do its charts", () => browser.EvaluateAsync<bool>("[...document.querySelectorAll('canvas')].every(one => one.clientWidth <= 340)"));
        await KeepAsync(browser, "load-phone");
        Assert.Empty(browser.Problems);
    }

    [DebianPackageFact(Chromium, Browser.Path)]
    public async Task Device_that_is_killed_under_load_is_an_alarm_until_it_is_back()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(Bits);
        string socket = scenario.File("device.sock");
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, socket);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri]);
        await using Browser browser = await OpenAsync(scenario, proxy);
        await Eventually.TrueAsync("the device path is live", async () => await browser.TextAsync("#live-path") == "Device path live");
        await using var load = new HandshakeLoad(new TlsClient(proxy.Url, certificate.Root), PictureSeconds > 0 ? 16 : 2);
        await WaitForPictureAsync();
        await emulator.KillAsync();
        await Eventually.TrueAsync("the alarm is shown", () => browser.EvaluateAsync<bool>("!document.getElementById('alarm').hidden"));
        Assert.StartsWith("Nothing is offloaded now: emulator:", await browser.TextAsync("#alarm"), StringComparison.Ordinal);
        Assert.Equal("Software path live", await browser.TextAsync("#live-path"));
        await Eventually.TrueAsync("fallbacks are told", async () => (await browser.TextAsync("#fallbacks")).Contains("device", StringComparison.Ordinal));
        await Eventually.TrueAsync("the breaker is open", () => browser.EvaluateAsync<bool>("/Circuit breaker (open|half open)/.test(document.getElementById('devices').textContent)"));
        await WaitForPictureAsync();
        await KeepAsync(browser, "killed");
        await using EmulatorProcess again = await EmulatorProcess.StartAsync(scenario, socket);
        await Eventually.TrueAsync("the alarm is over", () => browser.EvaluateAsync<bool>("document.getElementById('alarm').hidden"));
        Assert.Empty(browser.Problems);
    }

    [DebianPackageFact(Chromium, Browser.Path)]
    public async Task Page_does_not_hold_up_the_end_says_that_the_proxy_is_gone_and_goes_on_when_it_is_back()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);

        // Twice the same port: none of those that the system gives to whoever asks meanwhile.
        string[] arguments = [.. certificate.WriteTo(scenario), "--admin", $"http://127.0.0.1:{FindPort()}"];
        ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, arguments);
        await using Browser browser = await OpenAsync(scenario, proxy);
        proxy.Process.Send(Signal.Terminate);
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Empty(proxy.Process.Errors);
        await Eventually.TrueAsync("the page says so", async () => (await browser.TextAsync("#connection")).StartsWith("Disconnected since", StringComparison.Ordinal));
        await using ProxyProcess again = await ProxyProcess.StartAsync(scenario, arguments);
        await IsLiveAsync(browser);
    }

    [DebianPackageFact(Chromium, Browser.Path)]
    public async Task Browser_signs_in_with_the_form()
    {
        const string Token = "a-token-of-the-operators";
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, certificate.WriteTo(scenario),
            new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_Server__AdminTokenFile"] = scenario.Write("token", Token) });
        await using Browser browser = await Browser.StartAsync(scenario);
        await browser.OpenAsync(new Uri(proxy.Admin, "/"));
        await Eventually.TrueAsync("the form is there", () => browser.EvaluateAsync<bool>("document.querySelector('form') !== null"));
        await browser.EvaluateAsync<bool>($"(document.querySelector('input').value = '{Token}', document.querySelector('form').requestSubmit(), true)");
        await IsLiveAsync(browser);
        Assert.Equal("/", await browser.EvaluateAsync<string>("location.pathname + location.search"));
        Assert.Equal("", await browser.EvaluateAsync<string>("document.cookie"));
    }

    private static async Task<Browser> OpenAsync(Scenario scenario, ProxyProcess proxy)
    {
        Browser browser = await Browser.StartAsync(scenario);
        await browser.ResizeAsync(1280, 1000);
        await browser.UseColorSchemeAsync("light");
        await browser.OpenAsync(new Uri(proxy.Admin, "/"));
        await IsLiveAsync(browser);
        return browser;
    }

    private static Task IsLiveAsync(Browser browser) =>
        Eventually.TrueAsync("the page is live", () => browser.EvaluateAsync<bool>(
            "document.body?.className === 'connected' && getComputedStyle(document.querySelector('main')).opacity === '1'"));

    /// <summary>Handshakes on both paths, as the page has them.</summary>
    private static async Task<(long Device, long Software)> ReadCountsAsync(Browser browser)
    {
        long[] counts = await browser.EvaluateAsync<long[]>(
            "[...document.querySelectorAll('#comparison > :last-child .pair > :nth-child(3n)')].map(one => Number(one.textContent.replaceAll(',', '')))");
        return (counts[0], counts[1]);
    }

    private static int FindPort()
    {
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            int port = Random.Shared.Next(20_000, 30_000);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // It is in use.
            }
        }
    }

    private static Task WaitForPictureAsync()
    {
        long end = Environment.TickCount64 + (PictureSeconds * 1000L);
        return Eventually.TrueAsync("the load has gone on", () => Environment.TickCount64 >= end, TimeSpan.FromSeconds(PictureSeconds + 60));
    }

    /// <summary>A picture of what is seen at once, and one of the whole page, for people.</summary>
    private async Task KeepAsync(Browser browser, string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "pictures")).FullName;
        await browser.ScreenshotAsync(Path.Combine(folder, $"live-{name}.png"), isWholePage: false);
        await browser.ScreenshotAsync(Path.Combine(folder, $"live-{name}-whole.png"), isWholePage: true);
        output.WriteLine($"Pictures: {folder}/live-{name}.png, live-{name}-whole.png");
    }
}
