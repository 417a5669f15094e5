using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>Bad input: one sentence with the value and what is allowed. Program.cs prints it and ends with 2.</summary>
public sealed class HandshakesCommandTests
{
    [Theory]
    [InlineData("http://localhost", "The URL is 'http://localhost'; it must be like https://localhost:8443.")]
    [InlineData("localhost:8443", "The URL is 'localhost:8443'; it must be like https://localhost:8443.")]
    [InlineData("https://", "The URL is 'https://'; it must be like https://localhost:8443.")]
    [InlineData("https://a --connections 0", "--connections is 0; it must be between 1 and 10000.")]
    [InlineData("https://a --rate 0", "--rate is 0; it must be between 0.1 and 1000000.")]
    [InlineData("https://a --rate NaN", "--rate is NaN; it must be between 0.1 and 1000000.")]
    [InlineData("https://a --seconds -1", "--seconds is -1; it must be between 0.1 and 86400.")]
    [InlineData("https://a --warmup 3601", "--warmup is 3601; it must be between 0 and 3600.")]
    [InlineData("https://a --resume 1.01", "--resume is 1.01; it must be between 0 and 1.")]
    [InlineData("https://a --timeout 0", "--timeout is 0; it must be between 0.1 and 600.")]
    [InlineData("https://a --threads 65", "--threads is 65; it must be between 1 and 64.")]
    [InlineData("https://a --tls 1.1", "--tls is 1.1; it must be 1.2 or 1.3.")]
    [InlineData("https://a --sni ,", "--sni is ','; it must hold a name.")]
    [InlineData("https://a --sni b,c/d", "--sni is 'b,c/d'; it must be names of hosts with commas between.")]
    [InlineData("https://a --verify /nowhere.pem", "--verify is /nowhere.pem; there is no such file.")]
    public void Refused(string arguments, string sentence)
    {
        Assert.Equal(sentence, HandshakesCommand.Create().Parse(arguments.Split(' ')).Errors[0].Message);
    }

    [Fact]
    public void Value_that_is_no_number_is_refused_without_an_exception()
    {
        Assert.Contains("'many'", HandshakesCommand.Create().Parse(["https://a", "--connections", "many"]).Errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Url_alone_is_enough()
    {
        Assert.Empty(HandshakesCommand.Create().Parse(["https://localhost:8443"]).Errors);
    }

    [Fact]
    public void Live_line_is_written_over_itself_and_taken_away()
    {
        using var writer = new StringWriter();
        using (var line = new LiveLine(writer, isShown: true))
        {
            line.Show("one");
            line.Show("two");
        }

        Assert.Equal("\rone\e[K\rtwo\e[K\r\e[K", writer.ToString());
    }

    [Fact]
    public void Quiet_live_line_writes_nothing()
    {
        using var writer = new StringWriter();
        using (var line = new LiveLine(writer, isShown: false))
        {
            line.Show("one");
        }

        Assert.Empty(writer.ToString());
    }
}
