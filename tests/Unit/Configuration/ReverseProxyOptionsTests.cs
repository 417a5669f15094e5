using WarpProxy.Configuration;
using WarpProxy.Upstream;
using Yarp.ReverseProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

public sealed class ReverseProxyOptionsTests : IDisposable
{
    private readonly SettingsFixture _settings = new();

    public void Dispose() => _settings.Dispose();

    [Fact]
    public void Sections_are_read_as_YARP_reads_them()
    {
        IConfigurationRoot configuration = _settings.Load("""
            { "ReverseProxy": {
              "Routes": {
                "all": {
                  "ClusterId": "web", "Order": 3, "MaxRequestBodySize": 5000000000, "Timeout": "00:00:09", "AuthorizationPolicy": "default", "CorsPolicy": "default",
                  "TimeoutPolicy": "t", "RateLimiterPolicy": "r", "Metadata": { "a": "b" },
                  "Match": {
                    "Path": "/{**all}", "Hosts": [ "a.example", "b.example" ], "Methods": [ "GET", "POST" ],
                    "Headers": [ { "Name": "x", "Values": [ "1", "2" ], "Mode": "HeaderPrefix", "IsCaseSensitive": true }, { "Name": "y", "Mode": "exists" } ],
                    "QueryParameters": [ { "Name": "q", "Values": [ "v" ], "Mode": "Contains" } ] },
                  "Transforms": [ { "PathPrefix": "/p" }, { "RequestHeader": "h", "Append": "v" } ] },
                "bare": { "ClusterId": "web" } },
              "Clusters": {
                "web": {
                  "LoadBalancingPolicy": "RoundRobin", "Metadata": { "c": "d" },
                  "SessionAffinity": { "Enabled": true, "Policy": "Cookie", "FailurePolicy": "Redistribute", "AffinityKeyName": "k",
                    "Cookie": { "Path": "/", "SameSite": "Lax", "HttpOnly": true, "MaxAge": "1.00:00:00", "Domain": "d", "IsEssential": false, "SecurePolicy": "Always", "Expiration": "02:00:00" } },
                  "HealthCheck": { "AvailableDestinationsPolicy": "HealthyOrPanic",
                    "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "00:02:00" },
                    "Active": { "Enabled": true, "Interval": "00:00:10", "Timeout": "00:00:11", "Policy": "ConsecutiveFailures", "Path": "/h" } },
                  "HttpClient": { "SslProtocols": [ "Tls12", "tls13" ], "DangerousAcceptAnyServerCertificate": true, "MaxConnectionsPerServer": 9, "EnableMultipleHttp2Connections": false,
                    "RequestHeaderEncoding": "utf-8", "ResponseHeaderEncoding": "latin1", "WebProxy": { "Address": "http://p:1/", "BypassOnLocal": true, "UseDefaultCredentials": false } },
                  "HttpRequest": { "ActivityTimeout": "00:01:40", "Version": "2", "VersionPolicy": "RequestVersionExact", "AllowResponseBuffering": true },
                  "Destinations": { "one": { "Address": "http://a/", "Health": "http://b/", "Host": "h", "Metadata": { "e": "f" } } } } } } }
            """);
        var problems = new SettingProblems(configuration);
        ReverseProxyOptions options = new SettingsReader(configuration, problems).Read<ReverseProxyOptions>(ReverseProxyOptions.Section);
        Assert.Empty(problems.Lines);

        var services = new ServiceCollection();
        services.AddLogging().AddReverseProxy().LoadFromConfig(configuration.GetSection(ReverseProxyOptions.Section));
        using ServiceProvider provider = services.BuildServiceProvider();
        IProxyConfig expected = provider.GetRequiredService<IProxyConfigProvider>().GetConfig();
        Assert.Equal(expected.Routes.OrderBy(route => route.RouteId), options.NamedRoutes.OrderBy(route => route.RouteId));
        Assert.Equal(expected.Clusters, options.NamedClusters);
        Assert.Equal(System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13, options.NamedClusters[0].HttpClient!.SslProtocols);
    }

    [Theory]
    [InlineData("""{ "Rutes": {} }""", "ReverseProxy:Rutes is not a setting; those of ReverseProxy are Clusters, Routes.")]
    [InlineData(
        """{ "Routes": { "a": { "RouteId": "a", "ClusterId": "web", "Match": { "Path": "/" } } }, WEB }""",
        "ReverseProxy:Routes:a:RouteId is not a setting; those of ReverseProxy:Routes:a are AuthorizationPolicy, ClusterId, CorsPolicy, Match, MaxRequestBodySize, Metadata, Order, RateLimiterPolicy, Timeout, TimeoutPolicy, Transforms.")]
    [InlineData("""{ "Routes": { "a": { "ClusterId": "wbe", "Match": { "Path": "/" } } }, WEB }""", "ReverseProxy:Routes:a:ClusterId is 'wbe', which is no cluster; there are web.")]
    [InlineData("""{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" } } } }""", "ReverseProxy:Routes:a:ClusterId is 'web', which is no cluster; there are none.")]
    [InlineData("""{ "Routes": { "a": { "Match": { "Path": "/" } } }, WEB }""", "ReverseProxy:Routes:a:ClusterId is not set; it must be the name of a cluster; there are web.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" } } }, "Clusters": { "web": {} } }""",
        "ReverseProxy:Routes:a:ClusterId is 'web', a cluster without a destination; it must have at least one.")]
    [InlineData("""{ WEB }""", "ReverseProxy:Clusters has 'web' but ReverseProxy:Routes has no route; without a route no cluster is used.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web" } }, WEB }""",
        "ReverseProxy:Routes:a cannot be used: Route 'a' requires Hosts or Path specified. Set the Path to '/{**catchall}' to match all requests.")]
    [InlineData("""{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/{b" } } }, WEB }""", "ReverseProxy:Routes:a cannot be used: Invalid path '/{b' for route 'a'.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" }, "Transforms": [ { "PathPrefx": "/p" } ] } }, WEB }""",
        "ReverseProxy:Routes:a cannot be used: Unknown transform: PathPrefx.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" } } }, "Clusters": { "web": { "LoadBalancingPolicy": "Best", "Destinations": { "b": { "Address": "http://c/" } } } } }""",
        "ReverseProxy:Clusters:web cannot be used: No matching ILoadBalancingPolicy found for the load balancing policy 'Best' set on the cluster 'web'.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" } } }, "Clusters": { "web": { "Destinations": { "b": { "Address": "127.0.0.1:5000" } } } } }""",
        "ReverseProxy:Clusters:web:Destinations:b:Address is '127.0.0.1:5000'; it must be a URL with http or https, such as http://127.0.0.1:5000/.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" } } }, "Clusters": { "web": { "Destinations": { "b": { "Address": "ftp://c/" } } } } }""",
        "ReverseProxy:Clusters:web:Destinations:b:Address is 'ftp://c/'; it must be a URL with http or https, such as http://127.0.0.1:5000/.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" } } }, "Clusters": { "web": { "Destinations": { "b": { "Address": "http://c/", "Health": "/health" } } } } }""",
        "ReverseProxy:Clusters:web:Destinations:b:Health is '/health'; it must be a URL with http or https, such as http://127.0.0.1:5000/.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/" } } }, "Clusters": { "web": { "Destinations": { "b": { "Address": "http://c/" } }, "HttpRequest": { "Version": "x" } } } }""",
        "ReverseProxy:Clusters:web:HttpRequest:Version is 'x'; it must be a version such as 1.1 or 2.")]
    [InlineData(
        """{ "Routes": { "a": { "ClusterId": "web", "Match": { "Path": "/", "Headers": { "x": "y" } } } }, WEB }""",
        "ReverseProxy:Routes:a:Match:Headers:x is 'y'; it is a section and must have its settings below it.")]
    public void Mistake_is_told_with_its_path(string section, string sentence)
    {
        string json = section.Replace("WEB", """ "Clusters": { "web": { "Destinations": { "one": { "Address": "http://127.0.0.1:5000/" } } } }""", StringComparison.Ordinal);
        Assert.Equal([$"proxy.json:1: {sentence}"], _settings.FindProblems($$"""{ "ReverseProxy": {{json}} }"""));
    }

    [Fact]
    public void List_may_come_from_the_environment()
    {
        IConfigurationRoot configuration = _settings.Load("{}", new() { ["WARPPROXY_ReverseProxy__Routes__a__Match__Hosts"] = "a.example" });
        ReverseProxyOptions options = new SettingsReader(configuration).Read<ReverseProxyOptions>(ReverseProxyOptions.Section);
        Assert.Equal(["a.example"], Assert.Single(options.NamedRoutes).Match.Hosts);
    }
}
