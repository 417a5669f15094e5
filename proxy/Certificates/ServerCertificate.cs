using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Certificates;

/// <summary>
/// What the proxy shows to clients: the certificate with its private key, and its intermediates. There may be ten thousands, so it keeps what is asked
/// for, and no object of .NET's or OpenSSL's for each certificate.
/// </summary>
internal sealed class ServerCertificate : IDisposable
{
    private const string TlsFeature = "1.3.6.1.5.5.7.1.24";     // RFC 7633
    private const int StatusRequest = 5;                        // RFC 6066 1.1: the extension by which clients ask for a response

    private readonly OffloadedRsaKey? _key;

    /// <summary>With an RSA key, whose operations run on lanes.</summary>
    /// <param name="certificate">Taken over.</param>
    /// <param name="intermediates">Sent after it, as far as they lead on from it; taken over.</param>
    /// <param name="key">Taken over, unless this fails.</param>
    /// <param name="file">Where it came from.</param>
    /// <param name="pool">Where the intermediates are shared; null: with nobody.</param>
    /// <exception cref="OpenSslException">The key is not the certificate's, or OpenSSL serves no such certificate.</exception>
    public ServerCertificate(
        X509Certificate2 certificate, X509Certificate2Collection intermediates, OffloadedRsaKey key, string file, IntermediatePool? pool = null)
        : this(certificate, intermediates, chain => new TlsServerCertificate(chain, key), PrivateKeyType.Rsa, key.ModulusBits, file, pool)
    {
        _key = key;
    }

    /// <summary>With a key that stays in software.</summary>
    /// <inheritdoc cref="ServerCertificate(X509Certificate2, X509Certificate2Collection, OffloadedRsaKey, string, IntermediatePool)"/>
    public ServerCertificate(
        X509Certificate2 certificate, X509Certificate2Collection intermediates, PrivateKey key, string file, IntermediatePool? pool = null)
        : this(certificate, intermediates, chain => new TlsServerCertificate(chain, key), key.Type, key.Bits, file, pool)
    {
    }

    private ServerCertificate(
        X509Certificate2 certificate,
        X509Certificate2Collection intermediates,
        Func<IReadOnlyList<ReadOnlyMemory<byte>>, TlsServerCertificate> join,
        PrivateKeyType keyType,
        int keyBits,
        string file,
        IntermediatePool? pool)
    {
        try
        {
            Tls = join([certificate.RawData, .. Order(certificate, intermediates).Select(one => (ReadOnlyMemory<byte>)(pool?.Share(one.RawData) ?? one.RawData))]);
            Names = ReadNames(certificate);
            MustStaple = ReadMustStaple(certificate);
            Subject = certificate.Subject;
            NotBefore = new DateTimeOffset(certificate.NotBefore);
            NotAfter = new DateTimeOffset(certificate.NotAfter);
            KeyType = keyType;
            KeyBits = keyBits;
            File = file;
        }
        finally
        {
            foreach (X509Certificate2 one in intermediates.Append(certificate))
            {
                one.Dispose();
            }
        }
    }

    /// <summary>As OpenSSL takes it.</summary>
    public TlsServerCertificate Tls { get; }

    /// <summary>The names it is for, as it has them: <c>example.org</c>, <c>*.example.org</c>. Addresses are not among them: clients ask for none (RFC 6066 3).</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether it tells clients to refuse it without an OCSP response (RFC 7633).</summary>
    public bool MustStaple { get; }

    /// <summary>Of several certificates for a name, clients choose by this.</summary>
    public PrivateKeyType KeyType { get; }

    /// <summary>Bits of the RSA modulus, or of the order of the curve.</summary>
    public int KeyBits { get; }

    /// <summary>For people: <c>RSA-2048</c>.</summary>
    public string KeyDescription => $"{(KeyType == PrivateKeyType.Rsa ? "RSA" : "ECDSA")}-{KeyBits}";

    /// <summary>Whether handshakes with it need a lane for its private-key operation.</summary>
    public bool IsOffloaded => _key is not null;

    /// <summary>Where it came from.</summary>
    public string File { get; }

    /// <summary>For people: <c>CN=localhost</c>.</summary>
    public string Subject { get; }

    /// <summary>First moment of validity.</summary>
    public DateTimeOffset NotBefore { get; }

    /// <summary>Last moment of validity.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>What clients are sent, read anew: the certificate, then what leads on from it. The caller disposes them.</summary>
    public X509Certificate2[] ReadChain() => [.. Tls.Chain.Select(static der => X509CertificateLoader.LoadCertificate(der.Span))];

    /// <inheritdoc/>
    public void Dispose()
    {
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

    private static bool ReadMustStaple(X509Certificate2 certificate)
    {
        if (certificate.Extensions[TlsFeature] is not { } extension)
        {
            return false;
        }

        try
        {
            AsnReader features = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            bool isFound = false;
            while (features.HasData)
            {
                isFound |= features.ReadInteger() == StatusRequest;
            }

            return isFound;
        }
        catch (AsnContentException)
        {
            // Clients that read it will say so themselves.
            return false;
        }
    }

    /// <summary>
    /// What of the file leads on from the certificate, issuer by issuer. A root is left out: clients have it. What the file lacks is not looked for
    /// elsewhere: that would take milliseconds each, and depend on what else is installed.
    /// </summary>
    private static IEnumerable<X509Certificate2> Order(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        List<X509Certificate2> rest = [.. others];
        byte[] issuer = certificate.IssuerName.RawData;
        while (rest.Find(other => other.SubjectName.RawData.AsSpan().SequenceEqual(issuer)) is { } next)
        {
            rest.Remove(next);
            issuer = next.IssuerName.RawData;
            if (next.SubjectName.RawData.AsSpan().SequenceEqual(issuer))
            {
                yield break;
            }

            yield return next;
        }
    }
}
