using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.ClientCertificates;

/// <summary>Reads the files that say which clients are trusted: certificates of authorities, and their revocation lists.</summary>
internal static class TrustFile
{
    // Each verification hashes the list of the client's issuer whole.
    private const int MaxBytes = 16 * 1024 * 1024;
    private const int FirstByteOfDer = 0x30;                    // a SEQUENCE

    /// <summary>All certificates of a PEM file.</summary>
    /// <exception cref="BadInputException">There is none, one is damaged, or the file cannot be read.</exception>
    public static IReadOnlyList<X509Certificate2> ReadAuthorities(string path)
    {
        List<X509Certificate2> certificates = [];
        try
        {
            foreach (byte[] der in ReadBlocks(FileContent.Read(path, "CA file", MaxBytes), "CERTIFICATE"))
            {
                certificates.Add(X509CertificateLoader.LoadCertificate(der));
            }
        }
        catch (CryptographicException exception)
        {
            throw new BadInputException($"CA file '{path}' has a damaged certificate, number {certificates.Count + 1} in the file.", exception);
        }

        return certificates.Count > 0
            ? certificates
            : throw new BadInputException($"CA file '{path}' has no certificate; it must have a block -----BEGIN CERTIFICATE-----.");
    }

    /// <summary>All revocation lists of a PEM file, or the one of a DER file.</summary>
    /// <exception cref="BadInputException">There is none, one is damaged, or the file cannot be read.</exception>
    public static IReadOnlyList<CertificateRevocationList> ReadRevocationLists(string path)
    {
        List<CertificateRevocationList> lists = [];
        try
        {
            byte[] bytes = FileContent.Read(path, "CRL file", MaxBytes);
            foreach (byte[] der in bytes is [FirstByteOfDer, ..] ? [bytes] : ReadBlocks(bytes, "X509 CRL"))
            {
                lists.Add(CertificateRevocationList.Parse(der));
            }
        }
        catch (OpenSslException exception)
        {
            throw new BadInputException($"CRL file '{path}' has a damaged revocation list, number {lists.Count + 1} in the file.", exception);
        }

        return lists.Count > 0
            ? lists
            : throw new BadInputException($"CRL file '{path}' has no revocation list; it must have a block -----BEGIN X509 CRL-----, or be one in DER.");
    }

    /// <summary>The content of the blocks with a label (RFC 7468). What is no well-formed PEM is passed over.</summary>
    private static List<byte[]> ReadBlocks(ReadOnlySpan<byte> text, string label)
    {
        List<byte[]> blocks = [];
        while (PemEncoding.TryFindUtf8(text, out PemFields fields))
        {
            if (Encoding.ASCII.GetString(text[fields.Label]) == label)
            {
                byte[] decoded = new byte[fields.DecodedDataLength];
                Base64.DecodeFromUtf8(text[fields.Base64Data], decoded, out _, out int written);
                blocks.Add(decoded[..written]);
            }

            text = text[fields.Location.End..];
        }

        return blocks;
    }
}
