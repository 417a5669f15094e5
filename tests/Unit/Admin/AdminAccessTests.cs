using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Admin;
using WarpProxy.Configuration;
using WarpProxy.Live;
using WarpProxy.Telemetry;

namespace WarpProxy.Tests.Unit.Admin;

/// <summary>An admin listener with a token, asked as programs and browsers ask.</summary>
public sealed class AdminAccessTests : IAsyncLifetime, IDisposable
{
    private const string Token = "a-token-that-is-long-enough";

    private readonly string _file = Path.GetTempFileName();
    private readonly PrometheusPage _metrics = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
    private readonly LiveSampler _live = new(null, static () => throw new NotSupportedException(), static _ => false, TimeProvider.System, NullLogger<LiveSampler>.Instance);
    private AdminListener _listener = null!;
    private string _state = Readiness.Serving;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Token);
        var token = new AdminToken(_file, NullLogger<AdminToken>.Instance);
        token.Load();
        Assert.True(ListenAddress.TryParse("http://127.0.0.1:0", "", out ListenAddress? address, out _));
        _listener = new AdminListener(
            address, token, static () => throw new NotSupportedException(), () => new Readiness(_state) { Path = "software" }, _metrics, _live, NullLoggerFactory.Instance);
        await _listener.StartAsync();
    }

    public async Task DisposeAsync() => await _listener.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _metrics.Dispose();
        _live.Dispose();
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
        Assert.Equal(HttpStatusCode.Unauthorized, json.StatusCode);
        using HttpResponseMessage parts = await SendAsync("/", request =>
        {
            (request.Method, request.Content) = (HttpMethod.Post, new StringContent("token"));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data");
        });
        Assert.Equal(HttpStatusCode.Unauthorized, parts.StatusCode);
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

    private async Task<HttpResponseMessage> SendAsync(string path, Action<HttpRequestMessage>? prepare = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(_listener.Url), path));
        prepare?.Invoke(request);
        return await _client.SendAsync(request);
    }
}
