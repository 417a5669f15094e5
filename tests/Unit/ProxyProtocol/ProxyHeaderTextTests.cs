using System.Buffers;
using System.Text;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.ProxyProtocol;

public sealed class ProxyHeaderTextTests
{
    private const string IPv4 = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
    private const string IPv6 = "PROXY TCP6 2001:db8::1 2001:DB8:0:0:0:0:0:2 1 65535\r\n";

    [Theory]
    [InlineData(IPv4, "192.0.2.1:56324", "198.51.100.7:443")]
    [InlineData(IPv6, "[2001:db8::1]:1", "[2001:db8::2]:65535")]
    [InlineData("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0", "255.255.255.255:65535")]
    [InlineData("PROXY TCP6 ::1 :: 0 0\r\n", "[::1]:0", "[::]:0")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6407 5 6\r\n", "192.0.2.1:5", "198.51.100.7:6")]
    [InlineData(
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    public void Line_tells_both_addresses(string line, string client, string server)
    {
        ProxyHeader header = Read(line);
        Assert.Equal(ProxyHeaderState.Proxied, header.State);
        Assert.Equal(line.Length, header.Length);
        Assert.Equal(client, header.Client!.ToString());
        Assert.Equal(server, header.Server!.ToString());
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n")]
    [InlineData("PROXY UNKNOWN \r\n")]
    [InlineData("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n")]
    [InlineData("PROXY UNKNOWN \0\u00FF\t anything at all\r\n")]
    public void Unknown_is_local_whatever_follows(string line)
    {
        ProxyHeader header = Read(line);
        Assert.Equal(ProxyHeaderState.Local, header.State);
        Assert.Equal(line.Length, header.Length);
        Assert.Null(header.Client);
    }

    [Theory]
    [InlineData(IPv4)]
    [InlineData(IPv6)]
    [InlineData("PROXY UNKNOWN and more\r\n")]
    public void Every_proper_beginning_is_incomplete(string line)
    {
        for (int length = 0; length < line.Length; length++)
        {
            Assert.Equal((length, ProxyHeaderState.Incomplete), (length, Read(line[..length]).State));
        }
    }

    [Fact]
    public void Line_may_be_cut_into_segments_at_every_byte()
    {
        byte[] bytes = Encoding.Latin1.GetBytes(IPv4 + "GET /");
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Read(IPv4), ProxyHeader.Read(HelloBytes.Segments(bytes, cut)));
        }
    }

    [Fact]
    public void What_follows_the_line_is_not_looked_at() => Assert.Equal(IPv4.Length, Read(IPv4 + "\r\n\0PROXY").Length);

    [Fact]
    public void Line_of_107_bytes_is_taken_and_of_108_not()
    {
        Assert.Equal(ProxyHeaderState.Local, Read("PROXY UNKNOWN " + new string('x', 91) + "\r\n").State);
        Assert.Equal(ProxyHeaderState.Malformed, Read("PROXY UNKNOWN " + new string('x', 92) + "\r\n").State);
    }

    [Fact]
    public void Line_without_end_is_malformed_after_107_bytes()
    {
        Assert.Equal(ProxyHeaderState.Incomplete, Read("PROXY UNKNOWN " + new string('x', 92)).State);
        Assert.Equal(ProxyHeaderState.Malformed, Read("PROXY UNKNOWN " + new string('x', 93)).State);
        Assert.Equal(ProxyHeaderState.Malformed, Read("PROXY UNKNOWN " + new string('x', 1000)).State);
    }

    [Theory]
    [InlineData("G")]
    [InlineData("\u0016")]
    [InlineData("PO")]
    [InlineData("PROXX")]
    [InlineData("p")]
    [InlineData("PROXY\t")]
    [InlineData("PROXY UNKNOWN\n")]
    [InlineData("PROXY UNKNOWN\rx")]
    public void What_is_no_header_is_told_at_the_first_wrong_byte(string bytes)
    {
        Assert.Equal(ProxyHeaderState.Malformed, Read(bytes).State);
        Assert.Equal(ProxyHeaderState.Incomplete, Read(bytes[..^1]).State);
    }

    [Theory]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY  TCP4 192.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4  192.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 1 2 \r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n")]
    [InlineData("PROXY TCP4\r\n")]
    [InlineData("PROXY TCP4 \r\n")]
    [InlineData("PROXY TCP5 192.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY UDP4 192.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY tcp4 192.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY UNKNOWNX\r\n")]
    [InlineData("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 192.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2. 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.02.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 0xc0.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 -1.0.2.1 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 3221225985 198.51.100.7 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 65536 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 1 99999\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 1 100000\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 01 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 00 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 +1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 -1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 a 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 1  2\r\n")]
    [InlineData("PROXY TCP6 2001:db8::1%eth0 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 2001:db8::1::2 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 2001:db8:1 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 1:2:3:4:5:6:7:8:9 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 12345::1 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 g::1 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 : 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 ::1/64 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 ::1 2001:db8::2 65536 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.\u00B2 198.51.100.7 1 2\r\n")]
    public void Line_that_breaks_the_format_is_malformed(string line) => Assert.Equal(ProxyHeaderState.Malformed, Read(line).State);

    private static ProxyHeader Read(string bytes) => ProxyHeader.Read(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(bytes)));
}
