using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.Linux;
using WarpProxy.Configuration;

namespace WarpProxy.Certificates;

/// <summary>
/// One PEM file in locked memory that is not dumped: its certificates and its key. Disposing zeroes it, since it may hold a key in the clear.
/// </summary>
internal sealed class PemFile : IDisposable
{
    private const int MaxBytes = 1024 * 1024;
    private const int FirstReadBytes = 16 * 1024;
    private const string CertificateLabel = "CERTIFICATE";      // RFC 7468 5

    private static readonly SecretArena Secrets = new();

    private readonly SecretBlock _start = Secrets.Take(FirstReadBytes);
    private MappedMemory? _all;         // of a file that is longer
    private int _length;

    private PemFile(string path)
    {
        Path = path;
    }

    /// <summary>Where it was read.</summary>
    public string Path { get; }

    /// <summary>The whole file.</summary>
    public ReadOnlySpan<byte> Bytes => (_all is null ? _start.GetSpan() : _all.GetSpan())[.._length];

    /// <summary>Reads a file, or a pipe to its end; <paramref name="what"/> names it in messages: <c>Certificate file</c>.</summary>
    /// <exception cref="BadInputException">It cannot be read.</exception>
    public static PemFile Read(string path, string what)
    {
        try
        {
            // Without a buffer of its own, in which a copy of the key would stay.
            using var stream = new FileStream(path, new FileStreamOptions { BufferSize = 0 });
            var file = new PemFile(path);
            try
            {
                file.ReadToEnd(stream);
                return file._length <= MaxBytes
                    ? file
                    : throw new BadInputException($"{what} '{path}' has more than {MaxBytes} bytes; at most that many are read.");
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"{what} '{path}' does not exist.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            string reason = Directory.Exists(path) ? "it is a directory" : exception is UnauthorizedAccessException ? "permission denied" : exception.Message.TrimEnd('.');
            throw new BadInputException($"{what} '{path}' cannot be read: {reason}.", exception);
        }
    }

    /// <summary>All certificates, in their order.</summary>
    /// <exception cref="BadInputException">There is none, or one is damaged.</exception>
    public X509Certificate2Collection ReadCertificates()
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            foreach ((string label, Range body) in Blocks())
            {
                if (label == CertificateLabel)
                {
                    certificates.Add(X509CertificateLoader.LoadCertificate(Decode(body)));
                }
            }
        }
        catch (CryptographicException exception)
        {
            throw new BadInputException($"Certificate file '{Path}' has a damaged certificate, number {certificates.Count + 1} in the file.", exception);
        }

        return certificates.Count > 0
            ? certificates
            : throw new BadInputException($"Certificate file '{Path}' has no certificate; it must have a block -----BEGIN CERTIFICATE-----.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _start.Dispose();
        if (_all is not null)
        {
            CryptographicOperations.ZeroMemory(_all.GetSpan());
            _all.Dispose();
            _all = null;
        }
    }

    /// <summary>Reads at most one byte more than is allowed. The length is not asked for: a pipe has none.</summary>
    private void ReadToEnd(FileStream stream)
    {
        _length = stream.ReadAtLeast(_start.GetSpan(), FirstReadBytes, throwOnEndOfStream: false);
        if (_length == FirstReadBytes)
        {
            _all = MappedMemory.AllocateSecret(MaxBytes + 1);
            _start.GetSpan().CopyTo(_all.GetSpan());
            _length += stream.ReadAtLeast(_all.GetSpan()[FirstReadBytes..], MaxBytes + 1 - FirstReadBytes, throwOnEndOfStream: false);
        }
    }

    /// <summary>Label and base64 text of each block. A block that is not well-formed PEM is passed over.</summary>
    private List<(string Label, Range Body)> Blocks()
    {
        List<(string, Range)> blocks = [];
        int start = 0;
        while (PemEncoding.TryFindUtf8(Bytes[start..], out PemFields fields))
        {
            (int offset, int length) = fields.Base64Data.GetOffsetAndLength(_length - start);
            blocks.Add((Encoding.ASCII.GetString(Bytes[start..][fields.Label]), new Range(start + offset, start + offset + length)));
            start += fields.Location.End.GetOffset(_length - start);
        }

        return blocks;
    }

    private byte[] Decode(Range body)
    {
        // Base64 in PEM has line breaks, which this decoder passes over.
        byte[] decoded = new byte[body.End.Value - body.Start.Value];
        System.Buffers.Text.Base64.DecodeFromUtf8(Bytes[body], decoded, out _, out int written);
        return decoded[..written];
    }
}
