using System.Net;
using WarpProxy.ProxyProtocol;

namespace WarpProxy.Tests.Unit.ProxyProtocol;

public sealed class TrustedNetworksTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "::10.1.2.3", false)]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "203.0.113.9", false)]
    [InlineData("::/0", "::ffff:203.0.113.9", false)]
    [InlineData("2001:db8::/33", "2001:db8:7fff::1", true)]
    [InlineData("2001:db8::/33", "2001:db8:8000::1", false)]
    [InlineData("::1", "::1", true)]
    public void Sender_is_believed_by_its_network(string network, string sender, bool isTrusted)
    {
        Assert.Null(TrustedNetworks.FindProblem(network));
        Assert.Equal(isTrusted, new TrustedNetworks([network]).Contains(IPAddress.Parse(sender)));
        Assert.Equal(isTrusted, new TrustedNetworks(["198.18.0.0/15", network]).Contains(IPAddress.Parse(sender)));
    }

    [Fact]
    public void Nobody_is_believed_without_networks() => Assert.False(new TrustedNetworks([]).Contains(IPAddress.Loopback));

    [Theory]
    [InlineData("10.1.2.3/8", "of a network, the bits behind the prefix must be zero: 10.0.0.0/8.")]
    [InlineData("2001:db8::1/32", "of a network, the bits behind the prefix must be zero: 2001:db8::/32.")]
    [InlineData("10.0.0.0/33", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    [InlineData("10.0.0.0/", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    [InlineData("10.0.0.0/8/8", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    [InlineData("10.0.0.0/-1", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    [InlineData("10", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    [InlineData("10.0.0", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    [InlineData("lb.example", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    [InlineData("", "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.")]
    public void Text_that_is_no_network_has_a_sentence(string text, string sentence)
    {
        Assert.Equal(sentence, TrustedNetworks.FindProblem(text));
        Assert.Throws<ArgumentException>(() => new TrustedNetworks([text]));
    }
}
