using System.Collections.Concurrent;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Protocol;
using WarpProxy.Tickets;

namespace WarpProxy.Tls;

/// <summary>The sites of one listener. A site's context is made when the first client asks for it, and then shared by all connections. Any thread.</summary>
internal sealed class TlsSites : IDisposable
{
    private readonly Listener _listener;
    private readonly TlsTicketKeyRing? _ticketKeys;
    private readonly ProtocolPolicy _policy;
    private readonly CertificateIndex _index;
    private readonly ConcurrentDictionary<CertificateSet, Lazy<TlsSite>> _sites = new();

    /// <summary>Prepares them, and makes the default one: what OpenSSL does not take is told at start.</summary>
    /// <exception cref="BadInputException">OpenSSL does not take the certificate or the settings.</exception>
    public TlsSites(Listener listener, CertificateIndex index, TlsTicketKeyRing? ticketKeys, ProtocolPolicy policy)
    {
        _listener = listener;
        _ticketKeys = ticketKeys;
        _policy = policy;
        _index = index;
        try
        {
            Get(index.Default);
        }
        catch (OpenSslException exception)
        {
            throw new BadInputException(
                $"Nothing can be served on {listener.Address} with the certificate in '{index.Default.Certificates[0].File}': {exception.Message}", exception);
        }
    }

    /// <summary>The site for the name that a client asks for; null when the listener refuses such names.</summary>
    /// <param name="name">Null when it asks for none.</param>
    /// <exception cref="OpenSslException">No memory.</exception>
    public TlsSite? Find(string? name)
    {
        CertificateSet? certificates = name is null ? null : _index.Find(name);
        return certificates is not null || _listener.Options.UnknownNames == UnknownNames.Default ? Get(certificates ?? _index.Default) : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Lazy<TlsSite> site in _sites.Values.Where(static site => site.IsValueCreated))
        {
            site.Value.Context.Dispose();
        }
    }

    private TlsSite Get(CertificateSet certificates) => _sites.GetOrAdd(
        certificates, static (certificates, sites) => new Lazy<TlsSite>(() => sites.Create(certificates), LazyThreadSafetyMode.ExecutionAndPublication), this).Value;

    private TlsSite Create(CertificateSet certificates) => new(certificates, new TlsServerContext(new TlsServerOptions
    {
        Certificates = [.. certificates.Certificates.Select(static certificate => certificate.Tls)],
        LowestVersion = _policy.LowestVersion,
        HighestVersion = _policy.HighestVersion,
        CipherSuites = [.. _policy.CipherSuites.Select(static suite => suite.Name)],
        IsServerPreferring = _policy.IsServerPreferring,
        Groups = string.Join(':', _policy.Groups),
        SignatureAlgorithms = string.Join(':', _policy.SignatureAlgorithms),
        ApplicationProtocols = _policy.ApplicationProtocols,
        TicketKeys = _ticketKeys,
        TicketLifetime = _listener.Options.Tickets!.Lifetime,
        SessionContext = SessionContext.Of(_listener, certificates),
    }));
}
