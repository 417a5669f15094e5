using System.Net;
using WarpProxy.Passthrough;

namespace WarpProxy.Tests.Unit.Passthrough;

public sealed class UpstreamAddressTests
{
    [Theory]
    [InlineData("10.0.0.5:443")]
    [InlineData("[2001:db8::5]:65535")]
    public void Address_is_taken_as_it_is(string text)
    {
        Assert.True(UpstreamAddress.TryParse(text, out UpstreamAddress? address));
        Assert.Equal(IPEndPoint.Parse(text), address.EndPoint);
    }

    [Theory]
    [InlineData("legacy.internal:443", "legacy.internal", 443)]
    [InlineData("localhost:1", "localhost", 1)]
    public void Name_is_resolved_when_it_is_used(string text, string host, int port)
    {
        Assert.True(UpstreamAddress.TryParse(text, out UpstreamAddress? address));
        Assert.Equal(new DnsEndPoint(host, port), address.EndPoint);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":443")]
    [InlineData("10.0.0.5")]
    [InlineData("10.0.0.5:")]
    [InlineData("10.0.0.5:0")]
    [InlineData("10.0.0.5:65536")]
    [InlineData("10.0.0.5:-1")]
    [InlineData("10.0.0.5:+1")]
    [InlineData("10.0.0.5: 443")]
    [InlineData("10.0.5:443")]
    [InlineData("2001:db8::5:443")]
    [InlineData("[10.0.0.5]:443")]
    [InlineData("[2001:db8::5]")]
    [InlineData("[legacy.internal]:443")]
    [InlineData("https://legacy.internal:443")]
    [InlineData("legacy.internal/path:443")]
    [InlineData("legacy internal:443")]
    [InlineData("b\u00FCcher.example:443")]
    public void Text_without_a_host_and_a_port_is_refused(string text)
    {
        Assert.False(UpstreamAddress.TryParse(text, out UpstreamAddress? address));
        Assert.Null(address);
    }
}
