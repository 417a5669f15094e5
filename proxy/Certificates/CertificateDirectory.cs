using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>
/// A directory of certificates, with one level of directories below it. In each of them, the first rule that fits:
/// <list type="number">
/// <item><c>tls.crt</c> and <c>tls.key</c>: as Kubernetes mounts a Secret. Nothing else in that directory is looked at.</item>
/// <item><c>fullchain.pem</c> and <c>privkey.pem</c>: as certbot keeps them. Nothing else in that directory is looked at.</item>
/// <item><c>NAME.crt</c> or <c>NAME.pem</c> with <c>NAME.key</c>: any number of pairs. With all three, <c>NAME.crt</c> is the certificate.</item>
/// <item><c>NAME.pem</c> or <c>NAME.crt</c> alone, with certificate and key in it.</item>
/// </list>
/// Other files are passed over, and so are names that begin with a dot, such as Kubernetes' <c>..data</c>, which the others lead through.
/// </summary>
internal static class CertificateDirectory
{
    private static readonly (string File, string Key)[] WholeFolders = [("tls.crt", "tls.key"), ("fullchain.pem", "privkey.pem")];

    /// <summary>Lists what may be certificates, in the order of their names.</summary>
    /// <param name="source">The name in the configuration.</param>
    /// <param name="options">With a directory.</param>
    /// <param name="path">The way of private-key operations.</param>
    /// <param name="fallback">What computes when no device does.</param>
    /// <param name="folders">The directory and those below it: what changes when files are added or removed.</param>
    /// <exception cref="BadInputException">It cannot be read.</exception>
    public static List<CertificateFiles> List(string source, CertificateOptions options, OffloadPath path, OffloadFallback fallback, out List<string> folders)
    {
        string directory = options.Directory!;
        List<CertificateFiles> found = [];
        folders = [directory];
        try
        {
            folders.AddRange(Directory.EnumerateDirectories(directory).Where(IsVisible).Order(StringComparer.Ordinal));
            foreach (string folder in folders)
            {
                // One below that is taken away meanwhile has nothing.
                if (folder == directory || Directory.Exists(folder))
                {
                    found.AddRange(ListFolder(folder).Select(pair => new CertificateFiles(
                        source, NameOf(source, directory, pair.File), pair.File, pair.Key, options.PasswordFile, path, fallback,
                        pair.File == pair.Key ? CertificateFilesKind.Candidate : CertificateFilesKind.Pair)));
                }
            }
        }
        catch (DirectoryNotFoundException exception)
        {
            throw new BadInputException($"Certificate directory '{directory}' does not exist.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            string reason = exception is UnauthorizedAccessException ? "permission denied" : exception.Message.TrimEnd('.');
            throw new BadInputException($"Certificate directory '{directory}' cannot be read: {reason}.", exception);
        }

        found.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        return found;
    }

    private static IEnumerable<(string File, string Key)> ListFolder(string folder)
    {
        HashSet<string> names = [.. Directory.EnumerateFiles(folder).Where(IsVisible).Select(static path => Path.GetFileName(path))];
        foreach ((string file, string key) in WholeFolders)
        {
            if (names.Contains(file) && names.Contains(key))
            {
                return [(Path.Combine(folder, file), Path.Combine(folder, key))];
            }
        }

        return names.Where(name => Path.GetExtension(name) switch
        {
            ".crt" => true,
            ".pem" => !(names.Contains(Path.ChangeExtension(name, ".crt")) && names.Contains(Path.ChangeExtension(name, ".key"))),
            _ => false,
        }).Select(name =>
        {
            string key = Path.ChangeExtension(name, ".key");
            return (Path.Combine(folder, name), Path.Combine(folder, names.Contains(key) ? key : name));
        });
    }

    private static string NameOf(string source, string directory, string file) =>
        string.Concat(source, "/", Path.ChangeExtension(Path.GetRelativePath(directory, file), null));

    private static bool IsVisible(string path) => !Path.GetFileName(path.AsSpan()).StartsWith('.');
}
