using System.Collections.Concurrent;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Tickets;

namespace WarpProxy.Tls;

/// <summary>The sites of one listener. A site's context is made when the first client asks for it, and then shared by all connections. Any thread.</summary>
internal sealed class TlsSites : IDisposable
{
    private readonly Listener _listener;
    private readonly TlsTicketKeyRing? _ticketKeys;
    private readonly TlsOptions _options;
    private readonly CertificateIndex _index;
    private readonly ClientTrust? _clients;

    // By what they are made of: when other clients are trusted, others are made, and all connections from then on go to them.
    private readonly ConcurrentDictionary<(CertificateSet Certificates, TlsClientVerification? Clients), Lazy<TlsSite>> _sites = new();

    /// <summary>Prepares them, and makes the default one: what OpenSSL does not take is told at start.</summary>
    /// <exception cref="BadInputException">OpenSSL does not take the certificate or the settings.</exception>
    public TlsSites(Listener listener, CertificateIndex index, TlsTicketKeyRing? ticketKeys, TlsOptions options, ClientTrust? clients = null)
    {
        _listener = listener;
        _ticketKeys = ticketKeys;
        _options = options;
        _index = index;
        _clients = clients;
        try
        {
            Get(index.Default);
        }
        catch (OpenSslException exception)
        {
            throw new BadInputException(
                $"Nothing can be served on {listener.Address} with the certificate in '{index.Default.Certificates[0].File}': {exception.Message}", exception);
        }

        if (clients is not null)
        {
            clients.Changed += DropOutdated;
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
        if (_clients is not null)
        {
            _clients.Changed -= DropOutdated;
        }

        foreach (Lazy<TlsSite> site in _sites.Values.Where(static site => site.IsValueCreated))
        {
            site.Value.Context.Dispose();
        }
    }

    private TlsSite Get(CertificateSet certificates) => _sites.GetOrAdd(
        (certificates, _clients?.Current),
        static (parts, sites) => new Lazy<TlsSite>(() => sites.Create(parts.Certificates, parts.Clients), LazyThreadSafetyMode.ExecutionAndPublication),
        this).Value;

    /// <summary>Forgets the contexts that trust other clients. One may be about to accept a connection; so they are freed when nothing uses them.</summary>
    private void DropOutdated()
    {
        foreach ((CertificateSet Certificates, TlsClientVerification? Clients) parts in _sites.Keys)
        {
            if (parts.Clients != _clients!.Current)
            {
                _sites.TryRemove(parts, out _);
            }
        }
    }

    private TlsSite Create(CertificateSet certificates, TlsClientVerification? clients) => new(certificates, new TlsServerContext(new TlsServerOptions
    {
        Certificates = [.. certificates.Certificates.Select(static certificate => certificate.Tls)],
        CipherSuites = _options.CipherSuites,
        ApplicationProtocols = ["h2", "http/1.1"],
        TicketKeys = _ticketKeys,
        TicketLifetime = _listener.Options.Tickets!.Lifetime,
        SessionContext = SessionContext.Of(_listener, certificates),
        ClientVerification = clients,
    }));
}
