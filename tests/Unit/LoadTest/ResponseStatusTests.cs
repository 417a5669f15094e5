using System.Text;
using WarpProxy.LoadTest.Handshakes;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class ResponseStatusTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", null)]
    [InlineData("HTTP/1.0 304 Not Modified\r\n", null)]
    [InlineData("HTTP/1.1 404 Not Found\r\n", "HTTP status 404")]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\n", "HTTP status 502")]
    [InlineData("HTTP/1.1 20", "not an HTTP response")]
    [InlineData("", "not an HTTP response")]
    [InlineData("HTTP/1.1 abc", "not an HTTP response")]
    [InlineData("SSH-2.0-OpenSSH_9.2", "not an HTTP response")]
    public void Status_is_read_from_the_first_bytes_however_they_are_cut(string response, string? refusal)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(response);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var status = new ResponseStatus();
            status.Begin();
            status.Take(bytes.AsSpan(0, cut));
            status.Take(bytes.AsSpan(cut));
            Assert.Equal(refusal, status.Refusal()?.ToString());
            Assert.Equal(bytes.Length > 0, status.HasBegun);
        }
    }

    [Fact]
    public void Status_of_the_last_response_is_forgotten()
    {
        var status = new ResponseStatus();
        status.Take("HTTP/1.1 503 Service Unavailable"u8);
        status.Begin();
        Assert.False(status.HasBegun);
        status.Take("HTTP/1.1 200 OK"u8);
        Assert.Null(status.Refusal());
    }
}
