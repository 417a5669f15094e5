using System.Net;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>HSTS, the redirect to https, and the headers that tell upstreams how a client came.</summary>
public sealed class HttpPolicyTests(HttpPolicyTests.OneProxy one, ITestOutputHelper output) : IClassFixture<HttpPolicyTests.OneProxy>, IDisposable
{
    private const string Own = "max-age=31536000; includeSubDomains";

    public void Dispose() => output.WriteLine(one.Transcript());

    [Theory]
    [InlineData("/", "1.1", HttpStatusCode.OK)]
    [InlineData("/", "2.0", HttpStatusCode.OK)]
    [InlineData("/strict", "1.1", HttpStatusCode.OK)]       // the upstream says something else
    [InlineData("/strict", "2.0", HttpStatusCode.OK)]
    [InlineData("/none/", "2.0", HttpStatusCode.BadGateway)]    // no upstream answers
    public async Task Every_answer_over_https_has_the_operators_HSTS_once(string path, string http, HttpStatusCode status)
    {
        using HttpResponseMessage response = await one.GetAsync(new Uri(one.Https, path), http);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal([Own], response.Headers.GetValues("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Listener_without_HSTS_passes_on_what_the_upstream_says()
    {
        using HttpResponseMessage strict = await one.GetAsync(new Uri(one.HttpsWithoutHsts, "/strict"), "2.0");
        Assert.Equal(["max-age=1"], strict.Headers.GetValues("Strict-Transport-Security"));
        using HttpResponseMessage plain = await one.GetAsync(new Uri(one.HttpsWithoutHsts, "/"), "2.0");
        Assert.False(plain.Headers.Contains("Strict-Transport-Security"));
    }

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData("GET", "/a/b?c=d&e=%20f", "shop.example:80", "https://shop.example:8443/a/b?c=d&e=%20f")]
    [InlineData("POST", "/", "[2001:db8::1]", "https://[2001:db8::1]:8443/")]
    [InlineData("GET", "//evil.example/%2e%2e", "shop.example", "https://shop.example:8443//evil.example/%2e%2e")]
    public async Task Http_is_redirected_with_path_and_query_and_without_HSTS(string method, string path, string host, string location)
    {
        ToolResult result = await CurlAsync("--request", method, "--data", "x", "--path-as-is", "--header", $"Host: {host}", one.Http.GetLeftPart(UriPartial.Authority) + path);
        Assert.StartsWith("HTTP/1.1 308 ", result.Output, StringComparison.Ordinal);
        Assert.Contains($"\r\nLocation: {location}\r\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Strict-Transport-Security", result.Output, StringComparison.OrdinalIgnoreCase);
    }

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData("Host: evil.example@shop.example")]
    [InlineData("Host: shop.example/evil")]
    [InlineData("Host: shop..example")]
    [InlineData("Host;")]       // curl's way to send it empty
    public async Task Host_that_is_none_is_not_redirected(string header)
    {
        ToolResult result = await CurlAsync("--header", header, one.Http.ToString());
        Assert.StartsWith("HTTP/1.1 400 ", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Location", result.Output, StringComparison.Ordinal);
    }

    [DebianPackageFact("curl", Tool.Curl)]
    public async Task Challenges_of_a_certificate_authority_reach_the_upstream()
    {
        ToolResult served = await CurlAsync(new Uri(one.Http, "/.well-known/acme-challenge/token_1-A").ToString());
        Assert.StartsWith("HTTP/1.1 200 ", served.Output, StringComparison.Ordinal);
        Assert.Contains("upstream: GET /.well-known/acme-challenge/token_1-A", served.Output, StringComparison.Ordinal);
        ToolResult redirected = await CurlAsync("--path-as-is", one.Http + ".well-known/acme-challenge/../x");
        Assert.StartsWith("HTTP/1.1 308 ", redirected.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task What_a_client_says_of_itself_is_replaced(string http)
    {
        using HttpClient client = one.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(one.Https, "/headers"))
        {
            Version = Version.Parse(http),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("X-Forwarded-For", ["203.0.113.66", "203.0.113.67, unknown"]);
        request.Headers.Add("X-Forwarded-Proto", "http");
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        request.Headers.Add("X-Forwarded-Prefix", "/evil");
        request.Headers.Add("Forwarded", "for=203.0.113.66");
        request.Headers.Host = "shop.example";
        using HttpResponseMessage response = await client.SendAsync(request);

        string[] forwarded = [.. (await response.Content.ReadAsStringAsync()).Split('\n')
            .Where(line => line.Contains("Forwarded", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
        Assert.Equal(["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: shop.example", "X-Forwarded-Proto: https"], forwarded);
    }

    [Fact]
    public async Task Client_of_IPv4_is_told_as_such_where_a_listener_has_both_families()
    {
        using HttpClient client = one.Client();
        string[] headers = (await client.GetStringAsync(new Uri($"https://127.0.0.1:{one.BothFamilies.Port}/headers"))).Split('\n');
        Assert.Contains("X-Forwarded-For: 127.0.0.1", headers);
    }

    private static async Task<ToolResult> CurlAsync(params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Tool.Curl, ["--silent", "--show-error", "--include", "--max-time", "100", .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    /// <summary>A proxy with a listener of each kind, before an upstream.</summary>
    public sealed class OneProxy : IAsyncLifetime, IDisposable
    {
        private readonly Scenario _scenario = new();
        private readonly TestCertificate _certificate = TestCertificate.Ecdsa();
        private Upstream? _upstream;

        internal Uri Https { get; private set; } = null!;

        internal Uri HttpsWithoutHsts { get; private set; } = null!;

        internal Uri Http { get; private set; } = null!;

        internal Uri BothFamilies { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            _upstream = await Upstream.StartAsync();
            string config = _scenario.Write("proxy.json", $$"""
                {
                  "Hsts": { "MaxAge": "365.00:00:00", "IncludeSubDomains": true },
                  "Listeners": {
                    "a": { "Url": "https://127.0.0.1:0" },
                    "b": { "Url": "https://127.0.0.1:0", "Hsts": { "MaxAge": "0" } },
                    "c": { "Url": "http://127.0.0.1:0", "RedirectToHttps": 8443, "ServeAcmeChallenges": true },
                    "d": { "Url": "https://*:0" }
                  },
                  "ReverseProxy": {
                    "Routes": {
                      "one": { "ClusterId": "one", "Match": { "Path": "{**all}" } },
                      "none": { "ClusterId": "none", "Match": { "Path": "/none/{**all}" } }
                    },
                    "Clusters": {
                      "one": { "Destinations": { "here": { "Address": "{{_upstream.Url}}" } } },
                      "none": { "Destinations": { "here": { "Address": "http://127.0.0.1:1" } } }
                    }
                  }
                }
                """);
            ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, [.. _certificate.WriteTo(_scenario), "--config", config]);
            Uri[] urls = await Listeners.OfAsync(proxy, 4);
            (Https, HttpsWithoutHsts, Http, BothFamilies) = (urls[0], urls[1], urls[2], urls[3]);
        }

        public async Task DisposeAsync()
        {
            await _scenario.DisposeAsync();
            await _upstream!.DisposeAsync();
        }

        public void Dispose() => _certificate.Dispose();

        internal HttpClient Client()
        {
            var handler = new SocketsHttpHandler();

            // The name is not what these tests are about.
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
                shown!.GetRawCertData().AsSpan().SequenceEqual(_certificate.Certificate.RawData);
            return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(60) };
        }

        internal async Task<HttpResponseMessage> GetAsync(Uri url, string http)
        {
            using HttpClient client = Client();
            using var request = new HttpRequestMessage(HttpMethod.Get, url)
            {
                Version = Version.Parse(http),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            return await client.SendAsync(request);
        }

        internal string Transcript() => _scenario.Transcript();
    }
}
