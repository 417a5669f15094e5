using WarpProxy.LoadTest.Http;
using WarpProxy.LoadTest.Rings;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>Bad input: one sentence with the value and what is allowed. Program.cs prints it and ends with 2.</summary>
public sealed class HttpCommandTests
{
    [Theory]
    [InlineData("localhost:8443", "The URL is 'localhost:8443'; it must be like https://localhost:8443 or http://localhost:8080.")]
    [InlineData("ftp://a", "The URL is 'ftp://a'; it must be like https://localhost:8443 or http://localhost:8080.")]
    [InlineData("http://u:p@a", "The URL 'http://a' holds a user; that is not supported.")]
    [InlineData("http://a --http 3", "--http is 3; it must be 1.1 or 2.")]
    [InlineData("http://a --connections 0", "--connections is 0; it must be between 1 and 10000.")]
    [InlineData("http://a --http 2 --streams 0", "--streams is 0; it must be between 1 and 1000.")]
    [InlineData("http://a --rate -1", "--rate is -1; it must be between 0.1 and 1000000.")]
    [InlineData("http://a --body -1", "--body is -1; it must be between 0 and 1073741824.")]
    [InlineData("http://a --method G(T", "--method is 'G(T'; it must be like GET, and not CONNECT.")]
    [InlineData("http://a --method CONNECT", "--method is 'CONNECT'; it must be like GET, and not CONNECT.")]
    [InlineData("http://a --header X", "--header is 'X'; it must be like 'Name: value', in ASCII.")]
    [InlineData("http://a --header A:b --header :x", "--header is ':x'; it must be like 'Name: value', in ASCII.")]
    [InlineData("http://a --header A:b\r\nC:d", "--header is 'A:b\r\nC:d'; it must be like 'Name: value', in ASCII.")]
    [InlineData("http://a --header connection:close", "--header is 'connection:close'; connection follows from the other options.")]
    [InlineData("https://a --tls 1.1", "--tls is 1.1; it must be 1.2 or 1.3.")]
    [InlineData("https://a --verify /nowhere.pem", "--verify is /nowhere.pem; there is no such file.")]
    public void Refused(string arguments, string sentence)
    {
        Assert.Equal(sentence, HttpCommand.Create().Parse(arguments.Split(' ')).Errors[0].Message);
    }

    [Theory]
    [InlineData(false, false, 2, 1, "--streams is 2; only with --http 2 can it be above 1.")]
    [InlineData(true, true, 2, 1, "--streams is 2; with --new-connections it must be 1.")]
    [InlineData(true, false, 2, 2, "--threads is 2; with --http 2 it must be 1: .NET's pool of threads does the work.")]
    [InlineData(false, true, 1, 2, null)]
    [InlineData(true, true, null, 1, null)]
    [InlineData(true, false, 100, 1, null)]
    public void Contradictions_are_refused(bool isHttp2, bool isNewConnectionEach, int? streams, int threads, string? sentence)
    {
        Assert.Equal(sentence, HttpCommand.FindContradiction(isHttp2, isNewConnectionEach, streams, threads));
    }

    [Theory]
    [InlineData("http://localhost")]
    [InlineData("https://localhost:8443/page?x=y --http 2 --streams 100 --header A:b --header C:d")]
    public void Taken(string arguments)
    {
        Assert.Empty(HttpCommand.Create().Parse(arguments.Split(' ')).Errors);
    }

    [Theory]
    [InlineData("--streams many")]
    [InlineData("--http 2 --threads x")]
    [InlineData("--rate x --body y")]
    public void Value_that_is_no_number_is_refused_without_an_exception(string arguments)
    {
        Assert.NotEmpty(HttpCommand.Create().Parse(["http://a", .. arguments.Split(' ')]).Errors);
    }

    [Theory]
    [InlineData("--seconds 0", "--seconds is 0; it must be between 0.001 and 600.")]
    [InlineData("--seconds NaN", "--seconds is NaN; it must be between 0.001 and 600.")]
    [InlineData("--rounds 1001", "--rounds is 1001; it must be between 1 and 1000.")]
    [InlineData("--seconds x", "Cannot parse argument 'x' for option '--seconds' as expected type 'System.Double'.")]
    [InlineData("--rounds 1.5", "Cannot parse argument '1.5' for option '--rounds' as expected type 'System.Int32'.")]
    public void Rings_refuses(string arguments, string sentence)
    {
        Assert.Equal(sentence, RingsCommand.Create().Parse(arguments.Split(' ')).Errors[0].Message);
    }

    [Fact]
    public void Request_has_what_was_given_in_place_of_what_is_usual()
    {
        var shape = new RequestShape { Method = "POST", BodyBytes = 10, Headers = [new("host", "other"), new("X-One", "1"), new("X-One", "2")] };
        Assert.Equal(
            "POST /page?x=y HTTP/1.1\r\nUser-Agent: warp-loadtest\r\nAccept: */*\r\nhost: other\r\nX-One: 1\r\nX-One: 2\r\n"
            + "Content-Length: 10\r\nConnection: close\r\n\r\n",
            System.Text.Encoding.ASCII.GetString(shape.HeadFor(LoadTarget.Parse("https://localhost:8443/page?x=y#z", out _)!, isLast: true)));
    }

    [Fact]
    public void Request_names_the_port_unless_it_is_the_schemes()
    {
        Assert.Equal(["a:8443", "a", "a", "[::1]:81", "xn--bcher-kva.example"],
            new[] { "https://a:8443", "https://a", "http://a:80", "http://[::1]:81", "https://bücher.example" }
            .Select(url => LoadTarget.Parse(url, out _, isPlainAllowed: true)!.Authority));
    }

    [Fact]
    public void Body_in_pieces_is_as_long_as_it_shall_be_and_goes_round()
    {
        const long Length = 200_000;
        var body = new MemoryStream();
        while (body.Length < Length)
        {
            body.Write(RequestShape.BodyFrom(body.Length, Length - body.Length).Span[..1]);
            body.Write(RequestShape.BodyFrom(body.Length, Length - body.Length).Span);
        }

        Assert.Equal(Length, body.Length);
        byte[] bytes = body.ToArray();
        Assert.Equal((byte)'a', bytes[65_536]);
        Assert.All(Enumerable.Range(0, 1000), index => Assert.Equal(bytes[index], bytes[index + 65_536]));
    }
}
