using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.ClientCertificates;

namespace WarpProxy.Tls;

/// <summary>What a connection's TLS came to, as Kestrel, YARP and the demo page ask for it. Read when the handshake is done; any thread.</summary>
internal sealed class TlsFeatures(TlsServerConnection tls, VerifiedClient? client) : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature
{
    /// <inheritdoc/>
    public X509Certificate2? ClientCertificate
    {
        get => client?.Certificate;
        set => throw new NotSupportedException("The client's certificate is what the handshake found.");
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> ApplicationProtocol { get; } = tls.ApplicationProtocol;

    /// <inheritdoc/>
    public SslProtocols Protocol { get; } = tls.Version switch
    {
        // Obsolete in .NET; clients of the profile "old" have them.
#pragma warning disable SYSLIB0039, CA5397
        TlsVersion.Tls10 => SslProtocols.Tls,
        TlsVersion.Tls11 => SslProtocols.Tls11,
#pragma warning restore SYSLIB0039, CA5397
        TlsVersion.Tls12 => SslProtocols.Tls12,
        _ => SslProtocols.Tls13,
    };

    /// <inheritdoc/>
    public TlsCipherSuite? NegotiatedCipherSuite { get; } = (TlsCipherSuite)tls.CipherSuite;

    /// <inheritdoc/>
    public string HostName { get; } = tls.ServerName ?? "";

    // What the interface had before it had suites. Obsolete, and without a value that would fit every suite of TLS 1.3.
#pragma warning disable SYSLIB0058
    CipherAlgorithmType ITlsHandshakeFeature.CipherAlgorithm => CipherAlgorithmType.None;

    int ITlsHandshakeFeature.CipherStrength => 0;

    HashAlgorithmType ITlsHandshakeFeature.HashAlgorithm => HashAlgorithmType.None;

    int ITlsHandshakeFeature.HashStrength => 0;

    ExchangeAlgorithmType ITlsHandshakeFeature.KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    int ITlsHandshakeFeature.KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058

    /// <inheritdoc/>
    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
}
