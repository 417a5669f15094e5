using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using WarpProxy.Certificates;
using WarpProxy.Configuration;

namespace WarpProxy.Doctor;

/// <summary>The certificates that clients would be shown: whether they can be used with their keys, until when, whether clients can verify them, and who may read the keys.</summary>
internal sealed class CertificateCheck(ExaminedConfiguration configuration, TimeProvider time) : ICheck
{
    // One finding each up to here; after that, one for all that are right.
    private const int MaxRight = 20;
    private const int MaxWrong = 100;

    private const UnixFileMode OthersMayRead = UnixFileMode.OtherRead;

    /// <inheritdoc/>
    public string Name => "certificate";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        if (configuration.Options.Certificates.Count == 0)
        {
            yield return FindDevelopment();
            yield break;
        }

        List<Finding> right = [];
        int wrongCount = 0;
        foreach (Finding finding in configuration.Certificates.SelectMany(Examine))
        {
            if (finding.Level == FindingLevel.Ok)
            {
                right.Add(finding);
            }
            else if (++wrongCount <= MaxWrong)
            {
                yield return finding;
            }
        }

        foreach (Finding finding in right.Take(MaxRight))
        {
            yield return finding;
        }

        if (right.Count > MaxRight)
        {
            yield return Finding.Ok(Name, null, string.Create(CultureInfo.InvariantCulture, $"{right.Count - MaxRight} more are right"));
        }

        if (wrongCount > MaxWrong)
        {
            yield return Finding.Failed(Name, null, string.Create(CultureInfo.InvariantCulture, $"{wrongCount - MaxWrong} more findings are not shown"), "See to those above first");
        }
    }

    /// <summary>None is configured: the one for localhost is used, which the start makes if need be.</summary>
    private Finding FindDevelopment()
    {
        string folder;
        try
        {
            folder = DevelopmentCertificate.DefaultDirectory();
        }
        catch (BadInputException exception)
        {
            return Finding.Failed(Name, null, exception.Message.TrimEnd('.'), null);
        }

        const string Advice = "Give --certificate and --key, or section Certificates, to serve other names";
        return Finding.Ok(Name, null, $"none is configured: a development certificate for localhost is kept in '{folder}'") with { Advice = Advice };
    }

    private IEnumerable<Finding> Examine(ExaminedCertificate examined)
    {
        if (examined.IsPipe)
        {
            yield return Finding.Ok(Name, examined.Name, $"'{examined.Files!.File}' or its key is a pipe, which is read once: by the check of the configuration");
        }

        if (examined.Refusal is { } refusal)
        {
            yield return Finding.Failed(Name, examined.Name, configuration.Locate(refusal).TrimEnd('.'), null);
        }

        if (examined is { Certificate: { } certificate, Files: { } files })
        {
            yield return Describe(examined.Name, certificate);
            if (FindChainGap(certificate) is { } gap)
            {
                yield return Finding.Warning(
                    Name, examined.Name, gap, $"If that is an intermediate, append its certificate to '{files.File}': clients that do not know it refuse the connection");
            }

            if (FindReaders(files.KeyFile) is { } mode)
            {
                yield return Finding.Warning(Name, examined.Name, $"everybody on this machine may read the key file '{files.KeyFile}' (mode {mode})", $"chmod 600 '{files.KeyFile}'");
            }
        }
    }

    /// <summary>What it is, with its end.</summary>
    private Finding Describe(string name, ServerCertificate certificate)
    {
        DateTimeOffset now = time.GetUtcNow();
        string what = string.Create(
            CultureInfo.InvariantCulture, $"{certificate.KeyDescription}, {certificate.Subject}, key and certificate belong together");
        string end = certificate.NotAfter.UtcDateTime.ToString("u", CultureInfo.InvariantCulture);
        const string Advice = "Renew it: the proxy loads new files by itself";
        Finding finding = certificate.NotAfter <= now ? Finding.Failed(Name, name, $"{what}, but it has expired on {end}", Advice)
            : certificate.NotBefore > now ? Finding.Failed(
                Name, name, $"{what}, but it is not valid before {certificate.NotBefore.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}", "Wait, or look at the clock of this machine")
            : certificate.NotAfter - now < configuration.Options.CertificateExpiry.WarnBefore ? Finding.Warning(Name, name, $"{what}, and it ends soon: {end}", Advice)
            : Finding.Ok(Name, name, $"{what}; ends {end}");
        return finding with
        {
            Values = new Dictionary<string, object?>
            {
                ["notAfter"] = certificate.NotAfter.UtcDateTime, ["keyType"] = certificate.KeyType.ToString().ToLowerInvariant(), ["keyBits"] = certificate.KeyBits,
            },
        };
    }

    /// <summary>Whether clients that know only roots find a way from one to this certificate. Nothing is fetched.</summary>
    private static string? FindChainGap(ServerCertificate certificate)
    {
        X509Certificate2[] sent = certificate.ReadChain();
        try
        {
            X509Certificate2 last = sent[^1];
            if (last.SubjectName.RawData.AsSpan().SequenceEqual(last.IssuerName.RawData))
            {
                // Self-signed: clients that know it need no other.
                return null;
            }

            using var chain = new X509Chain();
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid | X509VerificationFlags.IgnoreInvalidName;
            chain.ChainPolicy.ExtraStore.AddRange(sent[1..]);
            chain.Build(sent[0]);
            bool isRooted = !chain.ChainStatus.Any(static status => status.Status.HasFlag(X509ChainStatusFlags.PartialChain));
            return isRooted ? null : $"its file has {sent.Length - 1} further certificate{(sent.Length == 2 ? "" : "s")}, and '{last.Issuer}', which issued the last one, is no root that this machine trusts";
        }
        finally
        {
            foreach (X509Certificate2 one in sent)
            {
                one.Dispose();
            }
        }
    }

    private static string? FindReaders(string keyFile)
    {
        try
        {
            UnixFileMode mode = File.GetUnixFileMode(File.ResolveLinkTarget(keyFile, returnFinalTarget: true)?.FullName ?? keyFile);
            return (mode & OthersMayRead) != 0 ? $"0{Convert.ToString((int)mode, 8)}" : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It was just read, and is gone meanwhile.
            return null;
        }
    }
}
