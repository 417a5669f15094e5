using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.ClientCertificates;

/// <summary>
/// A feature of connections: the client whose certificate was verified, and how upstreams are told of it. What is made of it is made when it is
/// first asked for. Any thread.
/// </summary>
/// <param name="chain">In DER, the client's certificate first, the trusted one last; not empty.</param>
/// <param name="options">The names of the headers.</param>
internal sealed class VerifiedClient(IReadOnlyList<ReadOnlyMemory<byte>> chain, ClientCertificateOptions options)
{
    private X509Certificate2? _certificate;
    private string? _value;
    private string? _chainValue;

    /// <summary>The client's certificate.</summary>
    public X509Certificate2 Certificate => _certificate ??= X509CertificateLoader.LoadCertificate(chain[0].Span);

    /// <summary>The settings that it was verified by.</summary>
    public ClientCertificateOptions Options => options;

    /// <summary>The certificate as a header has it (RFC 9440 2.2).</summary>
    public string Value => _value ??= ToByteSequence(chain[0]);

    /// <summary>The others as a header has them (RFC 9440 2.3), without the root, which upstreams have that verify on; empty when there is no other.</summary>
    public string ChainValue => _chainValue ??= string.Join(", ", chain.Skip(1).Take(chain.Count - (EndsWithRoot() ? 2 : 1)).Select(ToByteSequence));

    // RFC 8941 3.3.5.
    private static string ToByteSequence(ReadOnlyMemory<byte> der) => $":{Convert.ToBase64String(der.Span)}:";

    private bool EndsWithRoot()
    {
        if (chain.Count < 2)
        {
            return false;
        }

        using X509Certificate2 last = X509CertificateLoader.LoadCertificate(chain[^1].Span);
        return last.SubjectName.RawData.AsSpan().SequenceEqual(last.IssuerName.RawData);
    }
}
