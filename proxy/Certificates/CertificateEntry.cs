using WarpDrive.Linux;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>One certificate's files, and what became of them. It never changes.</summary>
internal sealed class CertificateEntry
{
    private const int MaxAttempts = 3;

    private readonly FileStamp?[] _stamps;

    private CertificateEntry(CertificateFiles files, FileStamp?[] stamps, ServerCertificate? certificate, string? refusal)
    {
        Files = files;
        _stamps = stamps;
        Certificate = certificate;
        Refusal = refusal;
    }

    /// <summary>Where it is.</summary>
    public CertificateFiles Files { get; }

    /// <summary>What serves; null when the files are none, or none that can be used and there was no earlier one.</summary>
    public ServerCertificate? Certificate { get; }

    /// <summary>Why the files as they are now cannot be used; null when they can.</summary>
    public string? Refusal { get; }

    /// <summary>For a certificate that is not in files of the configuration.</summary>
    public static CertificateEntry Of(string name, ServerCertificate certificate, OffloadPath path) => new(
        new CertificateFiles(name, name, certificate.File, certificate.File, null, path, OffloadFallback.Software, CertificateFilesKind.Configured), [], certificate, null);

    /// <summary>Loads the files if they have changed. When they cannot be used, the earlier certificate stays.</summary>
    /// <param name="files">Where it is.</param>
    /// <param name="previous">Of the load before; returned as it is when nothing has changed.</param>
    /// <param name="accelerator">Takes RSA keys.</param>
    /// <param name="pool">Where intermediates are shared.</param>
    public static CertificateEntry Load(CertificateFiles files, CertificateEntry? previous, Accelerator accelerator, IntermediatePool pool)
    {
        for (int attempt = 1; ; attempt++)
        {
            // Before the files: what is written while they are read will be loaded next time.
            FileStamp?[] stamps = files.ReadStamps();
            if (previous is not null && previous.Files == files && (previous._stamps.SequenceEqual(stamps) || HasPipe(stamps)))
            {
                // A pipe was read, and has nothing more to give.
                return previous;
            }

            try
            {
                return new CertificateEntry(files, stamps, Load(files, stamps, previous?.Certificate, accelerator, pool), null);
            }
            catch (BadInputException exception)
            {
                // One of a pair may have been replaced between the two readings, as Kubernetes replaces both at once.
                if (attempt == MaxAttempts || files.ReadStamps().SequenceEqual(stamps))
                {
                    return new CertificateEntry(files, stamps, previous?.Certificate, exception.Message);
                }
            }
        }
    }

    private static ServerCertificate? Load(
        CertificateFiles files, FileStamp?[] stamps, ServerCertificate? earlier, Accelerator accelerator, IntermediatePool pool)
    {
        // In a directory of others' nothing is opened that might never end.
        if (files.Kind != CertificateFilesKind.Configured && HasPipe(stamps))
        {
            return null;
        }

        if (files.Kind == CertificateFilesKind.Candidate && !IsWhole(files.File))
        {
            return earlier is null ? null : throw new BadInputException($"Certificate file '{files.File}' has no certificate with its private key any more.");
        }

        using var password = KeyPassword.Read(files.PasswordFile);
        return CertificateFile.Load(files.File, files.KeyFile, password.Value, accelerator, files.Path, files.Fallback, pool);
    }

    private static bool IsWhole(string path)
    {
        using PemFile file = PemFile.Read(path, "Certificate file");
        return file.Bytes.IndexOf("-----BEGIN CERTIFICATE-----"u8) >= 0 && file.Bytes.IndexOf("PRIVATE KEY-----"u8) >= 0;
    }

    private static bool HasPipe(FileStamp?[] stamps) => stamps.Any(static stamp => stamp is { IsFile: false });
}
