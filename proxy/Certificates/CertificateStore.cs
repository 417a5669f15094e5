using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>All certificates of the proxy, by the names that the configuration gives them. It owns them.</summary>
internal sealed class CertificateStore : IDisposable
{
    private readonly List<KeyValuePair<string, ServerCertificate>> _certificates = [];

    /// <summary>Loads what is configured; without any, the development certificate.</summary>
    /// <exception cref="BadInputException">A certificate or its key cannot be used; a line for each.</exception>
    public CertificateStore(
        IReadOnlyList<KeyValuePair<string, CertificateOptions>> configured, Accelerator accelerator, TimeProvider time, ILoggerFactory loggers)
    {
        try
        {
            List<string> problems = [];
            foreach ((string name, CertificateOptions options) in configured)
            {
                try
                {
                    using var password = KeyPassword.Read(options.PasswordFile);
                    _certificates.Add(new(name, CertificateFile.Load(options.File!, options.KeyFile ?? options.File!, password.Value, accelerator)));
                }
                catch (BadInputException exception)
                {
                    problems.Add(exception.Message);
                }
            }

            if (problems.Count > 0)
            {
                throw new BadInputException(string.Join(Environment.NewLine, problems));
            }

            if (_certificates.Count == 0)
            {
                Development = new DevelopmentCertificate(DevelopmentCertificate.DefaultDirectory(), time, loggers.CreateLogger<DevelopmentCertificate>());
                _certificates.Add(new(ProxyOptions.SingleCertificate, Development.Load(accelerator)));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>One that is already there.</summary>
    /// <param name="certificate">Taken over.</param>
    public CertificateStore(ServerCertificate certificate) => _certificates.Add(new(ProxyOptions.SingleCertificate, certificate));

    /// <summary>The development certificate, when it is in use.</summary>
    public DevelopmentCertificate? Development { get; }

    /// <summary>All of them, in the order of configuration.</summary>
    public IReadOnlyList<ServerCertificate> Certificates => [.. _certificates.Select(static one => one.Value)];

    /// <summary>Those of one listener.</summary>
    /// <param name="names">As configured, the default one first; empty for all.</param>
    public CertificateIndex Index(IReadOnlyList<string> names) => new(names.Count == 0
        ? Certificates
        : [.. names.Select(name => _certificates.Find(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value)]);

    /// <inheritdoc/>
    public void Dispose() => _certificates.ForEach(static one => one.Value.Dispose());
}
