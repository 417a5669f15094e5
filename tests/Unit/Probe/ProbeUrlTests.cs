using WarpProxy.Configuration;
using WarpProxy.Probe;

namespace WarpProxy.Tests.Unit.Probe;

/// <summary>Which URLs <c>warpproxy probe</c> takes.</summary>
public sealed class ProbeUrlTests
{
    [Theory]
    [InlineData("http://127.0.0.1:9902/readyz")]
    [InlineData("http://[::1]:9902/healthz")]
    [InlineData("http://proxy:9902/readyz?x=1")]
    public void Url_with_http_is_taken(string url) => Assert.Equal(url, ProbeCommand.ParseUrl(url).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("/readyz")]
    [InlineData("127.0.0.1:9902/readyz")]
    [InlineData("https://127.0.0.1:9902/readyz")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://user:password@127.0.0.1:9902/")]
    [InlineData("http://:9902/")]
    public void Other_url_is_refused_with_a_sentence(string url) => Assert.Equal(
        $"The URL to probe is '{url}'; it must be one with http, such as http://127.0.0.1:9902/readyz.",
        Assert.Throws<BadInputException>(() => ProbeCommand.ParseUrl(url)).Message);

    [Fact]
    public void Url_may_be_left_out()
    {
        CommandLine parsed = CommandLine.Parse(["probe"], TextWriter.Null)!;
        Assert.Equal((Verb.Probe, ProbeCommand.DefaultUrl), (parsed.Verb, parsed.ProbeUrl));
    }

    [Fact]
    public void Two_urls_are_a_mistake() => Assert.Throws<BadInputException>(() => CommandLine.Parse(["probe", "http://a/", "http://b/"], TextWriter.Null));
}
