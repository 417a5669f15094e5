using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Certificates;

/// <summary>What the proxy shows to clients: the certificate with its private key, and its intermediates. Made once, at start.</summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly IDisposable? _key;

    /// <summary>Takes both over.</summary>
    /// <param name="certificate">With its private key.</param>
    /// <param name="intermediates">Sent after it, as far as they lead on from it.</param>
    /// <param name="key">The key as devices have it, disposed after the certificate; null for a key that stays in software.</param>
    /// <param name="keyDescription">For people: <c>RSA-2048</c>.</param>
    /// <param name="file">Where it came from.</param>
    public ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection intermediates, IDisposable? key, string keyDescription, string file)
    {
        _certificate = certificate;
        _key = key;
        KeyDescription = keyDescription;
        File = file;

        // Offline: the chain comes from the file and the system's store; no server is asked for a missing certificate.
        Context = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
    }

    /// <summary>For SslStream; it also holds the OpenSSL context that all connections share.</summary>
    public SslStreamCertificateContext Context { get; }

    /// <summary>For people: <c>RSA-2048</c>.</summary>
    public string KeyDescription { get; }

    /// <summary>Whether a device may compute its private-key operations.</summary>
    public bool IsOffloaded => _key is not null;

    /// <summary>Where it came from.</summary>
    public string File { get; }

    /// <summary>For people: <c>CN=localhost</c>.</summary>
    public string Subject => _certificate.Subject;

    /// <summary>First moment of validity.</summary>
    public DateTimeOffset NotBefore => new(_certificate.NotBefore);

    /// <summary>Last moment of validity.</summary>
    public DateTimeOffset NotAfter => new(_certificate.NotAfter);

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificate.Dispose();
        _key?.Dispose();
    }
}
