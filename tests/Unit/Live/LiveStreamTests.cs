using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Admin;
using WarpProxy.Configuration;
using WarpProxy.Live;
using WarpProxy.Telemetry;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Live;

/// <summary>The page and its events as the admin listener serves them.</summary>
public sealed partial class LiveStreamTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly PrometheusPage _metrics = new();
    private readonly ManualTime _time = new();
    private readonly HttpClient _client = new() { Timeout = Patience };
    private readonly LiveSampler _live;
    private AdminListener _listener = null!;

    public LiveStreamTests() => _live = new LiveSampler(null, static () => LiveStates.Make(), static _ => false, _time, NullLogger<LiveSampler>.Instance);

    public async Task InitializeAsync()
    {
        Assert.True(ListenAddress.TryParse("http://127.0.0.1:0", "", out ListenAddress? address, out _));
        _listener = new AdminListener(
            address, null, static () => throw new NotSupportedException(), static () => new Readiness(Readiness.Serving), _metrics, _live, NullLoggerFactory.Instance);
        await _listener.StartAsync();
        _client.BaseAddress = new Uri(_listener.Url);
        _live.Start();
    }

    public async Task DisposeAsync() => await _listener.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _live.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task Page_has_no_script_or_style_of_its_own_and_all_that_it_names_is_here()
    {
        using HttpResponseMessage response = await _client.GetAsync("/");
        string policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        string page = await response.Content.ReadAsStringAsync();
        Assert.DoesNotMatch("<script>|<style|style=|onclick|https?:", page);
        string[] files = [.. Reference().Matches(page).Select(static match => match.Groups[1].Value).Distinct()];
        Assert.Contains("/page.js", files);
        foreach (string file in files.Where(static file => file is not "/status" and not "/metrics" and not "/readyz"))
        {
            string content = await _client.GetStringAsync(file);
            foreach (Match import in Import().Matches(content))
            {
                Assert.NotEmpty(await _client.GetStringAsync(import.Groups[1].Value));
            }
        }
    }

    [Fact]
    public async Task Stream_begins_with_the_past_and_goes_on_with_each_second()
    {
        using StreamReader events = await OpenAsync();
        Assert.Equal("retry: 1000", await ReadAsync(events));
        Assert.Equal("event: history", await ReadAsync(events));
        Assert.Equal("data: [[],[],[],[],[],[],[],[]]", await ReadAsync(events));
        Assert.Equal("event: now", await ReadAsync(events));
        Assert.Contains("Nothing is measured: Telemetry:Metrics is false.", await ReadAsync(events), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("event: now", await ReadAsync(events));
        Assert.Contains("\"uptimeSeconds\":1", await ReadAsync(events), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_page_more_than_are_served_is_told_so_and_comes_in_when_another_is_closed()
    {
        List<StreamReader> pages = [];
        for (int i = 0; i < LiveFeed.MaxViewers; i++)
        {
            pages.Add(await OpenAsync());
        }

        using (HttpResponseMessage refused = await _client.GetAsync("/live", HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("32 pages are open already, which is as many as are served; close one.\n", await refused.Content.ReadAsStringAsync());
        }

        pages[0].Dispose();
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => _live.Feed.ViewerCount < LiveFeed.MaxViewers, Patience)));
        pages[0] = await OpenAsync();
        pages.ForEach(static page => page.Dispose());
    }

    [Fact]
    public async Task Streams_end_when_the_proxy_does()
    {
        using StreamReader events = await OpenAsync();
        _live.Dispose();
        Assert.NotEmpty(await events.ReadToEndAsync().WaitAsync(Patience));
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => _live.Feed.ViewerCount == 0, Patience)));
    }

    private static async Task<string> ReadAsync(StreamReader events)
    {
        while (true)
        {
            string line = await events.ReadLineAsync().WaitAsync(Patience) ?? throw new EndOfStreamException();
            if (line.Length > 0)
            {
                return line;
            }
        }
    }

    private async Task<StreamReader> OpenAsync()
    {
        HttpResponseMessage response = await _client.GetAsync("/live", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    [GeneratedRegex("(?:src|href)=\"(/[^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("from '(/[a-z.]+)'")]
    private static partial Regex Import();
}
