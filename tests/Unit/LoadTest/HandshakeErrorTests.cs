using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>What goes wrong with a connection, and the words for it. One connection each, as before every run.</summary>
public sealed class HandshakeErrorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Port_without_a_listener()
    {
        Assert.Equal("connect refused", ErrorOf(LoopbackServer.Refusing(), new TlsClientOptions()));
    }

    [Fact]
    public async Task Server_that_resets()
    {
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            await socket.ReceiveAsync(new byte[16], token);
            socket.LingerState = new LingerOption(true, 0);
        });
        Assert.Equal("reset by the server", ErrorOf(server.Address, new TlsClientOptions()));
    }

    [Fact]
    public async Task Server_that_closes_in_the_handshake()
    {
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            byte[] hello = new byte[64 * 1024];
            await socket.ReceiveAsync(hello, token);
            socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(hello, token) > 0)
            {
            }
        });
        Assert.Equal("closed by the server", ErrorOf(server.Address, new TlsClientOptions()));
    }

    [Fact]
    public async Task Server_that_sends_an_alert()
    {
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            await socket.ReceiveAsync(new byte[64 * 1024], token);
            await socket.SendAsync(new byte[] { 21, 3, 3, 0, 2, 2, 40 }, token); // alert, TLS 1.2, fatal, handshake_failure
            socket.Shutdown(SocketShutdown.Send);
            await socket.ReceiveAsync(new byte[16], token);
        });
        Assert.Equal("TLS alert handshake_failure", ErrorOf(server.Address, new TlsClientOptions()));
    }

    [Fact]
    public async Task Server_that_speaks_no_tls()
    {
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            await socket.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(), token);
            await socket.ReceiveAsync(new byte[64 * 1024], token);
            await socket.ReceiveAsync(new byte[16], token);
        });
        Assert.Equal("TLS error: wrong version number", ErrorOf(server.Address, new TlsClientOptions()));
    }

    [Fact]
    public async Task Server_that_never_answers()
    {
        await using var server = LoopbackServer.Raw((_, token) => Task.Delay(Timeout.Infinite, token));
        Assert.Equal("timeout", ErrorOf(server.Address, new TlsClientOptions(), timeout: TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task Server_of_another_version()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.Tls12, LoopbackServer.ReadToEndAsync);
        Assert.Equal("TLS alert protocol_version", ErrorOf(server.Address, new TlsClientOptions { LowestVersion = TlsVersion.Tls13 }));
    }

    [Fact]
    public async Task Server_that_is_not_trusted()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        using X509Certificate2 other = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.None, LoopbackServer.ReadToEndAsync);
        using var trusted = new TrustedFile(other);
        Assert.StartsWith(
            "certificate not trusted: ", ErrorOf(server.Address, new TlsClientOptions { TrustedFile = trusted.Path }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", null)]
    [InlineData("127.0.0.1", null)]
    [InlineData("elsewhere.example", "certificate not trusted: hostname mismatch")]
    [InlineData("127.0.0.2", "certificate not trusted: IP address mismatch")]
    public async Task Name_is_verified(string name, string? error)
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.None, LoopbackServer.ReadToEndAsync);
        using var trusted = new TrustedFile(certificate);
        Assert.Equal(error, ErrorOf(server.Address, new TlsClientOptions { TrustedFile = trusted.Path }, name));
    }

    [Fact]
    public async Task Second_address_is_tried_when_the_first_refuses()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.Tls13, LoopbackServer.ReadToEndAsync);
        using var context = new TlsClientContext(new TlsClientOptions());
        ProbedServer? found = HandshakeProbe.Find(OptionsFor("localhost", Patience), [LoopbackServer.Refusing(), server.Address], context, out _);
        Assert.NotNull(found);
        Assert.Equal((server.Address, "1.3", "EC", 256), (found.Address, found.Tls, found.KeyType, found.KeyBits));
    }

    [Fact]
    public void Errors_are_counted_by_kind_the_most_frequent_first()
    {
        var one = new ErrorCounts();
        var two = new ErrorCounts();
        one.Count(LoadError.Timeout);
        two.Count(LoadError.OfSocket(WarpDrive.Linux.Errno.ECONNRESET));
        two.Count(LoadError.OfSocket(WarpDrive.Linux.Errno.EPIPE));
        one.Add(two);
        Assert.Equal(["reset by the server 2", "timeout 1"], one.ByKind().Select(kind => $"{kind.Key} {kind.Value}"));
        Assert.Equal(3, one.Total);
    }

    private static HandshakesOptions OptionsFor(string name, TimeSpan timeout) => new()
    {
        Target = LoadTarget.Parse("https://localhost/", out _)!,
        Names = [new TlsServerName(name)],
        Timeout = timeout,
    };

    /// <summary>The error of one connection; null when it was served.</summary>
    private static string? ErrorOf(IPEndPoint address, TlsClientOptions tls, string name = "localhost", TimeSpan? timeout = null)
    {
        using var context = new TlsClientContext(tls);
        ProbedServer? found = HandshakeProbe.Find(OptionsFor(name, timeout ?? Patience), [address], context, out LoadError error);
        return found is null ? error.ToString() : null;
    }

    private sealed class TrustedFile : IDisposable
    {
        public TrustedFile(X509Certificate2 certificate)
        {
            Path = System.IO.Path.GetTempFileName();
            File.WriteAllText(Path, certificate.ExportCertificatePem());
        }

        public string Path { get; }

        public void Dispose() => File.Delete(Path);
    }
}
