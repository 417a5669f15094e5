using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Certificates;

/// <summary>What the proxy shows to clients: the certificate with its private key, and its intermediates. Made once, at start.</summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly OffloadedRsaKey? _key;

    /// <summary>With a key that a device may compute.</summary>
    /// <param name="certificate">Taken over.</param>
    /// <param name="intermediates">Sent after it, as far as they lead on from it.</param>
    /// <param name="key">Taken over, unless this fails.</param>
    /// <param name="file">Where it came from.</param>
    /// <exception cref="OpenSslException">The key is not the certificate's.</exception>
    public ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection intermediates, OffloadedRsaKey key, string file)
        : this(BuildChain(certificate, intermediates), chain => new TlsServerCertificate(chain, key), PrivateKeyType.Rsa, $"RSA-{key.ModulusBits}", file)
    {
        _key = key;
    }

    /// <summary>With a key that stays in software.</summary>
    /// <inheritdoc cref="ServerCertificate(X509Certificate2, X509Certificate2Collection, OffloadedRsaKey, string)"/>
    public ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection intermediates, PrivateKey key, string file)
        : this(BuildChain(certificate, intermediates), chain => new TlsServerCertificate(chain, key), key.Type, $"ECDSA-{key.Bits}", file)
    {
    }

    private ServerCertificate(
        IReadOnlyList<X509Certificate2> chain, Func<IReadOnlyList<X509Certificate2>, TlsServerCertificate> join, PrivateKeyType keyType, string keyDescription, string file)
    {
        Chain = chain;
        Tls = join(chain);
        Names = ReadNames(chain[0]);
        KeyType = keyType;
        KeyDescription = keyDescription;
        File = file;
    }

    /// <summary>What clients are sent: the certificate, then what leads on from it.</summary>
    public IReadOnlyList<X509Certificate2> Chain { get; }

    /// <summary>As OpenSSL takes it.</summary>
    public TlsServerCertificate Tls { get; }

    /// <summary>The names it is for, as it has them: <c>example.org</c>, <c>*.example.org</c>. Addresses are not among them: clients ask for none (RFC 6066 3).</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Of several certificates for a name, clients choose by this.</summary>
    public PrivateKeyType KeyType { get; }

    /// <summary>For people: <c>RSA-2048</c>.</summary>
    public string KeyDescription { get; }

    /// <summary>Whether a device may compute its private-key operations.</summary>
    public bool IsOffloaded => _key is not null;

    /// <summary>Where it came from.</summary>
    public string File { get; }

    /// <summary>For people: <c>CN=localhost</c>.</summary>
    public string Subject => Chain[0].Subject;

    /// <summary>First moment of validity.</summary>
    public DateTimeOffset NotBefore => new(Chain[0].NotBefore);

    /// <summary>Last moment of validity.</summary>
    public DateTimeOffset NotAfter => new(Chain[0].NotAfter);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (X509Certificate2 certificate in Chain)
        {
            certificate.Dispose();
        }

        Tls.Dispose();
        _key?.Dispose();
    }

    /// <summary>Of the extension; of the subject when there is none (RFC 6125 6.4.4).</summary>
    private static string[] ReadNames(X509Certificate2 certificate)
    {
        X509SubjectAlternativeNameExtension? names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return names is not null ? [.. names.EnumerateDnsNames()]
            : certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } name ? [name]
            : [];
    }

    /// <summary>The certificate and what leads on from it, of the file and of the system's store. The root is what clients have.</summary>
    private static List<X509Certificate2> BuildChain(X509Certificate2 certificate, X509Certificate2Collection intermediates)
    {
        using var builder = new X509Chain();
        builder.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        builder.ChainPolicy.VerificationFlags = X509VerificationFlags.AllFlags;
        builder.ChainPolicy.DisableCertificateDownloads = true;     // no server is asked for a missing one
        builder.ChainPolicy.ExtraStore.AddRange(intermediates);
        builder.Build(certificate);
        List<X509Certificate2> chain = [certificate];
        foreach (X509ChainElement element in builder.ChainElements.Skip(1))
        {
            if (!element.Certificate.SubjectName.RawData.AsSpan().SequenceEqual(element.Certificate.IssuerName.RawData))
            {
                chain.Add(element.Certificate);
            }
        }

        return chain;
    }
}
