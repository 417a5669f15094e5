using WarpDrive.Linux;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>Where one certificate is.</summary>
/// <param name="Source">The name in the configuration.</param>
/// <param name="Name">The same; in a directory the file's after it: <c>many/shop</c>.</param>
/// <param name="File">The certificate and its intermediates.</param>
/// <param name="KeyFile">The key; may be the same file.</param>
/// <param name="PasswordFile">The key's password; null for that of the environment.</param>
/// <param name="Path">The way of private-key operations.</param>
/// <param name="Fallback">What computes when no device does.</param>
/// <param name="Kind">Who said that there is one.</param>
internal sealed record CertificateFiles(
    string Source, string Name, string File, string KeyFile, string? PasswordFile, OffloadPath Path, OffloadFallback Fallback, CertificateFilesKind Kind)
{
    /// <summary>All paths, each once.</summary>
    public IEnumerable<string> Paths => new[] { File, KeyFile, PasswordFile }.OfType<string>().Distinct(StringComparer.Ordinal);

    /// <summary>What they are now; null for a file that is not there.</summary>
    public FileStamp?[] ReadStamps() => [.. Paths.Select(static path => FileStamp.TryRead(path, out FileStamp stamp) ? stamp : (FileStamp?)null)];
}

/// <summary>Who said that there is a certificate.</summary>
internal enum CertificateFilesKind
{
    /// <summary>The configuration names the files.</summary>
    Configured,

    /// <summary>A pair of files in a directory has the names of certificate and key.</summary>
    Pair,

    /// <summary>One file in a directory may have certificate and key; what has not is something else.</summary>
    Candidate,
}
