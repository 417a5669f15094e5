using Microsoft.AspNetCore.Http.Features;
using WarpProxy.Http;

namespace WarpProxy.Tests.Unit.Http;

public sealed class HttpsRedirectTests
{
    [Theory]
    [InlineData("shop.example", "/", 443, "https://shop.example/")]
    [InlineData("shop.example:80", "/a/b?c=d&e=%20f", 443, "https://shop.example/a/b?c=d&e=%20f")]
    [InlineData("shop.example:8080", "/", 8443, "https://shop.example:8443/")]
    [InlineData("SHOP.example", "/%2Fa/..%2f?", 443, "https://SHOP.example/%2Fa/..%2f?")]
    [InlineData("shop.example.", "/", 443, "https://shop.example/")]
    [InlineData("xn--bcher-kva.example", "/", 443, "https://xn--bcher-kva.example/")]
    [InlineData("192.0.2.1:80", "/", 443, "https://192.0.2.1/")]
    [InlineData("[2001:db8::1]:80", "/", 8443, "https://[2001:db8::1]:8443/")]
    [InlineData("shop.example", "//evil.example/", 443, "https://shop.example//evil.example/")]
    [InlineData("shop.example", "/\\evil.example", 443, "https://shop.example/\\evil.example")]
    public void Host_path_and_query_are_kept(string host, string target, int port, string location)
    {
        HttpContext context = Request("GET", host, target);
        Assert.True(new HttpsRedirect(port, servesAcmeChallenges: false).TryAnswer(context));
        Assert.Equal(308, context.Response.StatusCode);
        Assert.Equal(location, context.Response.Headers.Location);
        Assert.Equal(0, context.Response.ContentLength);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("HEAD")]
    public void Every_method_is_redirected(string method)
    {
        HttpContext context = Request(method, "shop.example", "/");
        Assert.True(new HttpsRedirect(443, servesAcmeChallenges: true).TryAnswer(context));
        Assert.Equal(308, context.Response.StatusCode);
    }

    [Theory]
    [InlineData("", "/")]
    [InlineData("user@evil.example", "/")]
    [InlineData("shop.example:80:90", "/")]
    [InlineData("shop.example:x", "/")]
    [InlineData("shop.example:", "/x y")]
    [InlineData("shop.example/evil", "/")]
    [InlineData("shop.example\\evil", "/")]
    [InlineData("shop.example?evil", "/")]
    [InlineData("shop.example#evil", "/")]
    [InlineData("shop.example\r\nX: y", "/")]
    [InlineData("shop example", "/")]
    [InlineData("shop..example", "/")]
    [InlineData(".", "/")]
    [InlineData("[::1", "/")]
    [InlineData("[::1]x", "/")]
    [InlineData("[192.0.2.1]", "/")]
    [InlineData("[fe80::1%25eth0]", "/")]
    [InlineData("[]", "/")]
    [InlineData("::1", "/")]
    [InlineData("b\u00FCcher.example", "/")]
    [InlineData("shop.example", "/\r\nX: y")]
    [InlineData("shop.example", "/\u00FC")]
    [InlineData("shop.example", "*")]
    public void Host_or_target_that_cannot_be_a_header_is_refused(string host, string target)
    {
        HttpContext context = Request("GET", host, target);
        Assert.True(new HttpsRedirect(443, servesAcmeChallenges: false).TryAnswer(context));
        Assert.Equal(400, context.Response.StatusCode);
        Assert.False(context.Response.Headers.ContainsKey("Location"));
    }

    [Fact]
    public void Target_with_a_host_of_its_own_is_read_for_its_path()
    {
        HttpContext context = Request("GET", "shop.example", "http://shop.example/a%20b?c");
        context.Request.Path = "/a b";
        context.Request.QueryString = new QueryString("?c");
        new HttpsRedirect(443, servesAcmeChallenges: false).TryAnswer(context);
        Assert.Equal("https://shop.example/a%20b?c", context.Response.Headers.Location);
    }

    [Theory]
    [InlineData("GET", "/.well-known/acme-challenge/abc_DEF-123", true)]
    [InlineData("HEAD", "/.well-known/acme-challenge/a", true)]
    [InlineData("POST", "/.well-known/acme-challenge/a", false)]
    [InlineData("GET", "/.well-known/acme-challenge/", false)]
    [InlineData("GET", "/.well-known/acme-challenge/a/b", false)]
    [InlineData("GET", "/.well-known/acme-challenge/..", false)]
    [InlineData("GET", "/.well-known/acme-challenge/../../admin", false)]
    [InlineData("GET", "/.well-known/acme-challenge/%2e%2e", false)]
    [InlineData("GET", "/.well-known/acme-challenge/a?b", false)]
    [InlineData("GET", "/.Well-known/acme-challenge/a", false)]
    [InlineData("GET", "//.well-known/acme-challenge/a", false)]
    public void Challenges_alone_are_served(string method, string target, bool isServed)
    {
        Assert.Equal(!isServed, new HttpsRedirect(443, servesAcmeChallenges: true).TryAnswer(Request(method, "shop.example", target)));
        Assert.True(new HttpsRedirect(443, servesAcmeChallenges: false).TryAnswer(Request(method, "shop.example", target)));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("false", null)]
    [InlineData("False", null)]
    [InlineData("true", 443)]
    [InlineData("True", 443)]
    [InlineData("8443", 8443)]
    [InlineData("65535", 65535)]
    public void Setting_is_a_port_or_true_or_false(string? setting, int? port)
    {
        Assert.True(HttpsRedirect.TryParsePort(setting, out int? parsed));
        Assert.Equal(port, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("yes")]
    [InlineData("0")]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("443 ")]
    [InlineData("https")]
    public void Setting_that_is_neither_is_refused(string setting) => Assert.False(HttpsRedirect.TryParsePort(setting, out _));

    private static DefaultHttpContext Request(string method, string host, string target)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Headers.Host = host;
        context.Features.Get<IHttpRequestFeature>()!.RawTarget = target;
        return context;
    }
}
