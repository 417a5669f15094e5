using WarpDrive.Linux;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Doctor;

/// <summary>One certificate of the configuration, or a directory that has none that could be listed.</summary>
/// <param name="Name">In the configuration; in a directory the file's after it.</param>
/// <param name="Files">Where it is; null for a directory that cannot be read.</param>
/// <param name="Certificate">Null when it cannot be used, or is a pipe.</param>
/// <param name="Refusal">Why it cannot be used; a sentence.</param>
internal sealed record ExaminedCertificate(string Name, CertificateFiles? Files, ServerCertificate? Certificate, string? Refusal) : IDisposable
{
    /// <summary>Whether a file of it can be read only once, and is left for the check of the configuration.</summary>
    public bool IsPipe => Certificate is null && Refusal is null;

    /// <summary>Loads all that are configured, as the start does. Files in directories that are no certificates are left out.</summary>
    public static IReadOnlyList<ExaminedCertificate> LoadAll(ProxyOptions options, Accelerator software)
    {
        var pool = new IntermediatePool();
        List<CertificateFiles> files = [];
        List<ExaminedCertificate> found = [];
        foreach ((string name, CertificateOptions one) in options.Certificates.Where(static one => one.Value.IsGiven))
        {
            if (one.File is { } file)
            {
                files.Add(new CertificateFiles(
                    name, name, file, one.KeyFile ?? file, one.PasswordFile, OffloadPath.Software, OffloadFallback.Software, CertificateFilesKind.Configured));
                continue;
            }

            try
            {
                files.AddRange(CertificateDirectory.List(name, one, OffloadPath.Software, OffloadFallback.Software, out _));
            }
            catch (BadInputException exception)
            {
                found.Add(new ExaminedCertificate(name, null, null, exception.Message));
            }
        }

        var loaded = new ExaminedCertificate?[files.Count];
        Parallel.For(0, loaded.Length, i => loaded[i] = Load(files[i], software, pool));
        return [.. found, .. loaded.OfType<ExaminedCertificate>()];
    }

    /// <inheritdoc/>
    public void Dispose() => Certificate?.Dispose();

    private static ExaminedCertificate? Load(CertificateFiles files, Accelerator software, IntermediatePool pool)
    {
        if (files.Paths.Any(static path => FileStamp.TryRead(path, out FileStamp stamp) && !stamp.IsFile && !Directory.Exists(path)))
        {
            return files.Kind == CertificateFilesKind.Configured ? new ExaminedCertificate(files.Name, files, null, null) : null;
        }

        var entry = CertificateEntry.Load(files, null, software, pool);
        return entry.Certificate is null && entry.Refusal is null ? null : new ExaminedCertificate(files.Name, files, entry.Certificate, entry.Refusal);
    }
}
