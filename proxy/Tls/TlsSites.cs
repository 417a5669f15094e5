using System.Collections.Concurrent;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Protocol;
using WarpProxy.Tickets;

namespace WarpProxy.Tls;

/// <summary>
/// The sites of one listener. A site's context is made when the first client asks for it, and then shared by all connections; of many sites,
/// those are kept that clients ask for. Any thread.
/// </summary>
internal sealed class TlsSites : IDisposable
{
    /// <summary>The most contexts that are kept, of about 25 KB each.</summary>
    public const int MaxContexts = 1000;

    private readonly Listener _listener;
    private readonly TlsTicketKeyRing? _ticketKeys;
    private readonly ProtocolPolicy _policy;
    private readonly ClientTrust? _clients;
    private readonly Lock _gate = new();            // one change at a time
    private volatile bool _isDisposed;
    private volatile int _age;                      // goes up with each context that is made: by it is known which were not asked for
    private volatile Generation _current;           // a handshake looks once, and so sees the old certificates and trust or the new ones

    /// <summary>Prepares them, and makes the default one: what OpenSSL does not take is told at start.</summary>
    /// <exception cref="BadInputException">OpenSSL does not take the certificate or the settings.</exception>
    public TlsSites(Listener listener, CertificateIndex index, TlsTicketKeyRing? ticketKeys, ClientTrust? clients, ProtocolPolicy policy)
    {
        _listener = listener;
        _ticketKeys = ticketKeys;
        _policy = policy;
        _clients = clients;
        _current = new Generation(index, clients?.Current, []);
        try
        {
            Get(_current, index.Default);
        }
        catch (OpenSslException exception)
        {
            throw new BadInputException(
                $"Nothing can be served on {listener.Address} with the certificate in '{index.Default.Certificates[0].File}': {exception.Message}", exception);
        }

        if (clients is not null)
        {
            clients.Changed += TakeTrust;
        }
    }

    /// <summary>How many contexts there are now.</summary>
    public int ContextCount => _current.Sites.Count;

    /// <summary>
    /// The site for the name that a client asks for; null when the listener refuses such names. When its context accepts no more
    /// (<see cref="TlsServerContext.TryAccept"/>), there is another one here.
    /// </summary>
    /// <param name="name">Null when it asks for none.</param>
    /// <exception cref="OpenSslException">No memory.</exception>
    public TlsSite? Find(string? name)
    {
        while (true)
        {
            Generation current = _current;
            CertificateSet? certificates = name is null ? null : current.Index.Find(name);
            if (_isDisposed || (certificates is null && _listener.Options.UnknownNames == UnknownNames.Refuse))
            {
                return null;
            }

            TlsSite site = Get(current, certificates ?? current.Index.Default);
            if (_current == current)
            {
                return site;
            }

            // Made, perhaps, after what it is made of was replaced: nobody else would dispose it then.
            if (!_current.Sites.Values.Any(kept => kept.Has(site)))
            {
                site.Context.Dispose();
            }
        }
    }

    /// <summary>Takes other certificates into use for the handshakes that begin from now on. Sites whose certificates stay, stay.</summary>
    public void Replace(CertificateIndex index)
    {
        lock (_gate)
        {
            Replace(index, _current.Clients);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        if (_clients is not null)
        {
            _clients.Changed -= TakeTrust;
        }

        foreach (SiteEntry site in _current.Sites.Values)
        {
            site.Dispose();
        }
    }

    private TlsSite Get(Generation generation, CertificateSet certificates)
    {
        if (!generation.Sites.TryGetValue(certificates, out SiteEntry? site))
        {
            Interlocked.Increment(ref _age);
            site = generation.Sites.GetOrAdd(
                certificates,
                static (set, made) => new SiteEntry(() => made.Sites.Create(set, made.Clients)) { LastUsed = made.Sites._age },
                (Sites: this, generation.Clients));
            if (generation.Sites.Count > MaxContexts)
            {
                Evict(generation.Sites);
            }
        }

        site.LastUsed = _age;
        return site.Value;
    }

    /// <summary>Other clients are trusted from now on: no context that trusts the old ones accepts another connection.</summary>
    private void TakeTrust()
    {
        lock (_gate)
        {
            Replace(_current.Index, _clients!.Current);
        }
    }

    /// <summary>Under the gate.</summary>
    private void Replace(CertificateIndex index, TlsClientVerification? clients)
    {
        Generation old = _current;
        bool IsKept(CertificateSet set) => clients == old.Clients && index.Sets.Contains(set);
        _current = new Generation(index, clients, old.Sites.Where(site => IsKept(site.Key)));
        foreach ((CertificateSet set, SiteEntry site) in old.Sites)
        {
            if (!IsKept(set))
            {
                site.Dispose();
            }
        }
    }

    /// <summary>Drops the quarter that nobody has asked for the longest. Connections under way hold what they need.</summary>
    private void Evict(ConcurrentDictionary<CertificateSet, SiteEntry> sites)
    {
        lock (_gate)
        {
            if (sites.Count <= MaxContexts)
            {
                return;     // somebody else did it
            }

            // Ages are read once: they may change while they are compared.
            (CertificateSet Set, int LastUsed)[] oldest = [.. sites.Select(static site => (site.Key, site.Value.LastUsed)).OrderBy(static site => site.LastUsed)];
            foreach ((CertificateSet set, _) in oldest.Take(sites.Count - (MaxContexts * 3 / 4)))
            {
                if (sites.TryRemove(set, out SiteEntry? site))
                {
                    site.Dispose();
                }
            }
        }
    }

    private TlsSite Create(CertificateSet certificates, TlsClientVerification? clients) => new(certificates, new TlsServerContext(new TlsServerOptions
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
        ClientVerification = clients,
    }));

    private sealed class Generation(CertificateIndex index, TlsClientVerification? clients, IEnumerable<KeyValuePair<CertificateSet, SiteEntry>> sites)
    {
        public CertificateIndex Index => index;

        public TlsClientVerification? Clients => clients;

        public ConcurrentDictionary<CertificateSet, SiteEntry> Sites { get; } = new(sites);
    }

    /// <summary>One that is made while it is dropped is freed with the last object that refers to it.</summary>
    private sealed class SiteEntry(Func<TlsSite> create) : IDisposable
    {
        // One that could not be made is made when the next client asks.
        private readonly Lazy<TlsSite> _site = new(create, LazyThreadSafetyMode.PublicationOnly);
        private volatile int _lastUsed;

        public TlsSite Value => _site.Value;

        /// <summary>The age at which a client asked last. Written only when it changes: all processors read it.</summary>
        public int LastUsed
        {
            get => _lastUsed;
            set
            {
                if (_lastUsed != value)
                {
                    _lastUsed = value;
                }
            }
        }

        public bool Has(TlsSite site) => _site.IsValueCreated && _site.Value == site;

        public void Dispose()
        {
            if (_site.IsValueCreated)
            {
                _site.Value.Context.Dispose();
            }
        }
    }
}
