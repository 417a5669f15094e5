using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Http;

/// <summary>
/// Makes .NET's HTTP/2 client behave as a load generator: each invoker has one connection, follows nothing, keeps nothing, unpacks nothing, and
/// makes full handshakes.
/// </summary>
/// <param name="options">What to do.</param>
/// <param name="address">Of the server.</param>
/// <param name="opened">Called for each connection.</param>
/// <param name="received">Called with the count of bytes that came, without TLS.</param>
/// <param name="sent">Called with the count of bytes that went, without TLS.</param>
internal sealed class Http2Client(HttpOptions options, IPEndPoint address, Action opened, Action<int> received, Action<int> sent)
{
    private readonly X509Certificate2Collection _trusted = ReadTrusted(options.Tls.TrustedFile);

    /// <summary>An invoker without a connection yet.</summary>
    public HttpMessageInvoker Create()
    {
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = ConnectAsync,
            EnableMultipleHttp2Connections = false,
            MaxConnectionsPerServer = 1,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
            PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new CountingStream(context.PlaintextStream, received, sent)),
            UseCookies = false,
            UseProxy = false,
        };
        Apply(handler.SslOptions);
        return new HttpMessageInvoker(handler);
    }

    public HttpRequestMessage CreateRequest()
    {
        RequestShape shape = options.Request;
        var request = new HttpRequestMessage(new HttpMethod(shape.Method), options.Target.Url)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = shape.BodyBytes is long length ? new FillingContent(length) : null,
        };
        foreach ((string name, string value) in shape.HeadersFor(options.Target))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                // Those that .NET takes for headers of the body.
                request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return request;
    }

    /// <summary>Why a request failed, in the words that HTTP/1.1 has for it.</summary>
    public static LoadError ErrorOf(Exception failure)
    {
        for (Exception? inner = failure; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case SocketException socket:
                    return LoadError.OfSocket(socket.NativeErrorCode);
                case HttpProtocolException protocol:
                    return new LoadError(LoadErrorKind.Http2, Status: (int)protocol.ErrorCode);
                case HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }:
                case HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return LoadError.Of(new TlsFailure(TlsFailureKind.EndOfStream, 0));
                case HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse }:
                case HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse }:
                    return new LoadError(LoadErrorKind.NotHttp);
                case AuthenticationException:
                    return new LoadError(LoadErrorKind.Handshake);
            }
        }

        return new LoadError(LoadErrorKind.Other);
    }

    private static X509Certificate2Collection ReadTrusted(string? file)
    {
        X509Certificate2Collection trusted = [];
        if (file is not null)
        {
            trusted.ImportFromPemFile(file);
        }

        return trusted;
    }

#pragma warning disable CA5397 // The analyzer takes the numbers of TlsVersion for those of SslProtocols.
    private static SslProtocols ProtocolsOf(TlsVersion version) => version switch
    {
        TlsVersion.Any => SslProtocols.None, // the highest that both have
        TlsVersion.Tls13 => SslProtocols.Tls13,
        _ => SslProtocols.Tls12,
    };
#pragma warning restore CA5397

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken token)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address, token).ConfigureAwait(false);
            opened();
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Apply(SslClientAuthenticationOptions tls)
    {
        tls.AllowTlsResume = false;
        tls.EnabledSslProtocols = ProtocolsOf(options.Tls.HighestVersion);
        bool isVerifying = options.Tls.TrustedFile is not null;
        tls.CertificateChainPolicy = new X509ChainPolicy
        {
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            TrustMode = X509ChainTrustMode.CustomRootTrust,
        };
        tls.CertificateChainPolicy.CustomTrustStore.AddRange(_trusted);
        if (!isVerifying)
        {
#pragma warning disable CA5359 // Accepts any, as documented: the server's speed is asked for, not its identity.
            tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
    }
}
