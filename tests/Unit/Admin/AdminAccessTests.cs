using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Admin;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Live;
using WarpProxy.Telemetry;
using WarpProxy.Tests.Unit.Live;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Admin;

/// <summary>An admin listener with a token, asked as programs and browsers ask.</summary>
public sealed class AdminAccessTests : IAsyncLifetime, IDisposable
{
    private const string Token = "a-token-that-is-long-enough";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _file = Path.GetTempFileName();
    private readonly PrometheusPage _metrics = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
    private readonly LiveSampler _live = new(null, static () => LiveStates.Make(), static _ => false, TimeProvider.System, NullLogger<LiveSampler>.Instance);
    private readonly FileWatch _files = new(TimeSpan.FromHours(1), TimeProvider.System, NullLogger<FileWatch>.Instance);
    private readonly LogLines _log = new();
    private AdminListener _listener = null!;
    private string _state = Readiness.Serving;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Token);
        var token = new AdminToken(_file, NullLogger<AdminToken>.Instance);
        token.WatchIn(_files);
        token.Load();
        Assert.True(ListenAddress.TryParse("http://127.0.0.1:0", "", out ListenAddress? address, out _));
        _listener = new AdminListener(
            address, token, static () => throw new NotSupportedException(), () => new Readiness(_state) { Path = "software" }, _metrics, _live, _log);
        await _listener.StartAsync();
    }

    public async Task DisposeAsync() => await _listener.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _metrics.Dispose();
        _live.Dispose();
        _files.Dispose();
        _log.Dispose();
        File.Delete(_file);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/status")]
    [InlineData("/metrics")]
    [InlineData("/live")]
    [InlineData("/nothing")]
    public async Task Nothing_is_told_without_the_token(string path)
    {
        using HttpResponseMessage response = await SendAsync(path);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).Scheme);
        Assert.Equal("A token is needed, the one in Server:AdminTokenFile: 'Authorization: Bearer TOKEN'.\n", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    public async Task Probes_need_no_token(string path)
    {
        using HttpResponseMessage response = await SendAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Program_with_the_token_is_let_in_and_with_another_it_is_not()
    {
        using HttpResponseMessage right = await SendAsync("/metrics", request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        using HttpResponseMessage wrong = await SendAsync("/metrics", request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", $"{Token}0"));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal("This is not the token in Server:AdminTokenFile.\n", await wrong.Content.ReadAsStringAsync());
        using HttpResponseMessage basic = await SendAsync("/metrics", request => request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Token));
        Assert.Equal(HttpStatusCode.Unauthorized, basic.StatusCode);
    }

    [Fact]
    public async Task Browser_gets_a_form_that_needs_nothing_else()
    {
        using HttpResponseMessage response = await SendAsync("/", AcceptHtml);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        string page = await response.Content.ReadAsStringAsync();
        Assert.Contains("<form method=\"post\" action=\"/\">", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Form_gives_a_cookie_that_lets_in_and_is_for_this_site_alone()
    {
        using HttpResponseMessage response = await PostAsync(Token);
        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Equal("/", response.Headers.Location?.ToString());
        string cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Contains("; httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Token, cookie, StringComparison.Ordinal);
        using HttpResponseMessage let = await SendAsync("/metrics", request => request.Headers.Add("Cookie", cookie.Split(';')[0]));
        Assert.Equal(HttpStatusCode.OK, let.StatusCode);
        using HttpResponseMessage spoilt = await SendAsync("/metrics", request => request.Headers.Add("Cookie", cookie.Split(';')[0][..^1]));
        Assert.Equal(HttpStatusCode.Unauthorized, spoilt.StatusCode);
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("")]
    public async Task Form_with_another_token_is_shown_again_and_gives_no_cookie(string token)
    {
        using HttpResponseMessage response = await PostAsync(token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.Contains("This is not the token.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_in_the_address_does_not_stay_there()
    {
        using HttpResponseMessage right = await SendAsync($"/?token={Token}");
        Assert.Equal((HttpStatusCode.SeeOther, "/"), (right.StatusCode, right.Headers.Location?.ToString()));
        Assert.True(right.Headers.Contains("Set-Cookie"));
        Assert.Equal("no-referrer", Assert.Single(right.Headers.GetValues("Referrer-Policy")));
        using HttpResponseMessage wrong = await SendAsync("/?token=wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        using HttpResponseMessage elsewhere = await SendAsync($"/metrics?token={Token}");
        Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.StatusCode);
    }

    [Fact]
    public async Task What_is_no_form_is_refused()
    {
        using HttpResponseMessage json = await SendAsync("/", request => (request.Method, request.Content) = (HttpMethod.Post, new StringContent("{}")));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, json.StatusCode);
        using HttpResponseMessage nothing = await SendAsync("/", static request => request.Method = HttpMethod.Post);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, nothing.StatusCode);
    }

    [Theory]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nhalf", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/form-data", "token", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("no type", "token", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/x-www-form-urlencoded", "token=%ZZ&&&=", HttpStatusCode.Unauthorized)]
    [InlineData("application/x-www-form-urlencoded; charset=utf-8", "token=1&token=2", HttpStatusCode.Unauthorized)]
    public async Task Spoilt_form_is_refused_and_is_no_failure_of_the_proxy(string type, string body, HttpStatusCode expected)
    {
        using HttpResponseMessage response = await SendAsync("/", request =>
        {
            (request.Method, request.Content) = (HttpMethod.Post, new StringContent(body));
            request.Content.Headers.Remove("Content-Type");
            Assert.True(request.Content.Headers.TryAddWithoutValidation("Content-Type", type));
        });
        Assert.Equal(expected, response.StatusCode);
        Assert.DoesNotContain(_log.Take(), static line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Form_that_is_too_long_is_refused()
    {
        using HttpResponseMessage response = await PostAsync(new string('a', 20_000));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Stream_of_a_token_that_is_replaced_ends_and_one_of_the_new_token_goes_on()
    {
        _live.Start();
        using StreamReader old = await OpenLiveAsync(Token);
        const string Next = "another-token-that-is-long-enough";
        await File.WriteAllTextAsync(_file, Next);
        _files.LookNow();
        using StreamReader current = await OpenLiveAsync(Next);
        Assert.StartsWith("retry: 1000", await old.ReadToEndAsync().WaitAsync(Patience), StringComparison.Ordinal);
        Assert.Equal("retry: 1000", await current.ReadLineAsync().WaitAsync(Patience));
        using HttpResponseMessage refused = await SendAsync("/live", static request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        // Of the two streams one is left: the new one did not end with the old.
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => _live.Feed.ViewerCount == 1, Patience)));
    }

    [Theory]
    [InlineData(Readiness.Starting, HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable)]
    [InlineData(Readiness.Serving, HttpStatusCode.OK, HttpStatusCode.OK)]
    [InlineData(Readiness.Draining, HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable)]
    public async Task Who_drains_is_well_and_not_ready(string state, HttpStatusCode health, HttpStatusCode ready)
    {
        _state = state;
        using HttpResponseMessage healthz = await SendAsync("/healthz");
        Assert.Equal((health, $"{state}\n"), (healthz.StatusCode, await healthz.Content.ReadAsStringAsync()));
        using HttpResponseMessage readyz = await SendAsync("/readyz");
        Assert.Equal(ready, readyz.StatusCode);
        Assert.Contains($"\"state\":\"{state}\"", await readyz.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static void AcceptHtml(HttpRequestMessage request) => request.Headers.Accept.ParseAdd("text/html,application/xhtml+xml,*/*;q=0.8");

    private Task<HttpResponseMessage> PostAsync(string token) => SendAsync("/", request =>
    {
        AcceptHtml(request);
        request.Method = HttpMethod.Post;
        request.Content = new FormUrlEncodedContent([new("token", token)]);
    });

    private async Task<StreamReader> OpenLiveAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(_listener.Url), "/live"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new StreamReader(await response.Content.ReadAsStreamAsync());
    }

    private async Task<HttpResponseMessage> SendAsync(string path, Action<HttpRequestMessage>? prepare = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(_listener.Url), path));
        prepare?.Invoke(request);
        return await _client.SendAsync(request);
    }
}
