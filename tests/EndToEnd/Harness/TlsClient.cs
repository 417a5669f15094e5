using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A client of this process: each call is a connection of its own with a full handshake, which verifies the certificate, and one GET.</summary>
internal sealed class TlsClient
{
    private readonly Uri _url;
    private readonly TimeSpan _limit;
    private readonly SslClientAuthenticationOptions _options;

    /// <param name="url">The proxy's.</param>
    /// <param name="trusted">A root.</param>
    /// <param name="name">The server's.</param>
    /// <param name="protocols">Versions that are offered.</param>
    /// <param name="limit">Of one connection from its beginning to its end.</param>
    public TlsClient(
        Uri url, X509Certificate2 trusted, string name = "localhost", SslProtocols protocols = SslProtocols.None, TimeSpan? limit = null)
    {
        _url = url;
        _limit = limit ?? TimeSpan.FromMinutes(2);
        _options = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            AllowTlsResume = false,
            EnabledSslProtocols = protocols,
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
        };
        _options.CertificateChainPolicy.CustomTrustStore.Add(trusted);
    }

    /// <summary>Throws when the handshake or the request fails, or when another than the demo upstream answers.</summary>
    public async Task GetAsync()
    {
        string text = Encoding.ASCII.GetString(await GetAsync("/"));
        if (!text.Contains("WarpProxy is serving", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"Not what the demo upstream answers: '{text}'");
        }
    }

    /// <summary>Throws when the handshake or the request fails; returns the answer, status line and headers included.</summary>
    public async Task<byte[]> GetAsync(string path)
    {
        using var limit = new CancellationTokenSource(_limit);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(_url.Host, _url.Port, limit.Token);
        await using var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(_options, limit.Token);
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), limit.Token);
        using var answer = new MemoryStream();
        await tls.CopyToAsync(answer, limit.Token);
        byte[] bytes = answer.ToArray();
        if (!bytes.AsSpan().StartsWith("HTTP/1.1 200 "u8))
        {
            throw new InvalidDataException($"Not a good answer: '{Encoding.ASCII.GetString(bytes)}'");
        }

        return bytes;
    }
}
