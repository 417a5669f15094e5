using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A client of this process: each call is a connection of its own with a full handshake, which verifies the certificate, and one GET.</summary>
internal sealed class TlsClient
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    private readonly Uri _url;
    private readonly SslClientAuthenticationOptions _options;

    public TlsClient(Uri url, X509Certificate2 trusted, string name = "localhost")
    {
        _url = url;
        _options = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            AllowTlsResume = false,
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
        };
        _options.CertificateChainPolicy.CustomTrustStore.Add(trusted);
    }

    /// <summary>Throws when the handshake or the request fails.</summary>
    public async Task GetAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(_url.Host, _url.Port, limit.Token);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(_options, limit.Token);
        await tls.WriteAsync(Request, limit.Token);
        byte[] answer = new byte[4096];
        int length = 0;
        while (length < answer.Length && await tls.ReadAsync(answer.AsMemory(length), limit.Token) is > 0 and int read)
        {
            length += read;
        }

        string text = Encoding.ASCII.GetString(answer, 0, length);
        if (!text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) || !text.Contains("WarpProxy is serving", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"Not what the demo upstream answers: '{text}'");
        }
    }
}
