using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>A server on a free port of the loopback interface that does with each connection what the test says.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private static readonly Lazy<Socket> Taken = new(static () =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    });

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private int _connections;
    private bool _isDisposed;

    private LoopbackServer(Func<Socket, CancellationToken, Task> serve)
    {
        _listener.Start();
        _accepting = AcceptAsync(serve);
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    public Uri Url => new($"https://localhost:{Address.Port}/page");

    /// <summary>How many connections came.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>An address that refuses: nobody listens there, and nobody else can, since it is taken.</summary>
    public static IPEndPoint Refusing() => (IPEndPoint)Taken.Value.LocalEndPoint!;

    public static X509Certificate2 CreateCertificate()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>Raw bytes; the socket is closed when <paramref name="serve"/> is done.</summary>
    public static LoopbackServer Raw(Func<Socket, CancellationToken, Task> serve) => new(serve);

    /// <summary>TLS; then <paramref name="serve"/>, close_notify and the end of the connection.</summary>
    public static LoopbackServer Tls(
        X509Certificate2 certificate, SslProtocols protocols, Func<SslStream, CancellationToken, Task> serve) =>
        new(async (socket, token) =>
        {
            await using var tls = new SslStream(new NetworkStream(socket));
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = certificate,
                    EnabledSslProtocols = protocols,
                },
                token);
            await serve(tls, token);
            await tls.ShutdownAsync();
        });

    /// <summary>Reads until the client has closed its side.</summary>
    public static async Task ReadToEndAsync(SslStream tls, CancellationToken token)
    {
        byte[] buffer = new byte[1024];
        while (await tls.ReadAsync(buffer, token) > 0)
        {
        }
    }

    /// <summary>Ends when all that was begun for a connection has ended; then nothing of it changes any more. Once is enough.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await _end.CancelAsync();
        await _accepting;
        _listener.Stop();
        _end.Dispose();
    }

    private async Task AcceptAsync(Func<Socket, CancellationToken, Task> serve)
    {
        List<Task> served = [];
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync(_end.Token);
                Interlocked.Increment(ref _connections);
                served.Add(ServeAsync(socket, serve));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(Socket socket, Func<Socket, CancellationToken, Task> serve)
    {
        using (socket)
        {
            try
            {
                await serve(socket, _end.Token);
            }
            catch (Exception failure) when (failure is IOException or AuthenticationException or OperationCanceledException or SocketException)
            {
                // What the client sees is the test's matter.
            }
        }
    }
}
