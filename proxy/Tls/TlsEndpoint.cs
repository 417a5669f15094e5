using Microsoft.AspNetCore.Connections;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Passthrough;
using WarpProxy.Protocol;

namespace WarpProxy.Tls;

/// <summary>
/// TLS on one listener, as one configuration has it. When another takes its place it is retired: handshakes that have begun with it finish with it, and
/// then it goes. Any thread.
/// </summary>
internal sealed class TlsEndpoint : IDisposable
{
    private readonly TlsSites _sites;
    private readonly Listener _listener;
    private readonly TlsParts _parts;
    private readonly ClientTrust? _clients;
    private readonly TlsMiddleware _middleware;
    private int _holders = 1;       // its listener, and each handshake under way
    private int _isDisposed;

    /// <summary>Prepares it for one listener.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="options">Section <c>Tls</c>.</param>
    /// <param name="index">The certificates to begin with; it takes those that replace them in the store.</param>
    /// <param name="clients">Acquired from the store of <paramref name="parts"/> and taken over, unless this fails; null when clients are not asked.</param>
    /// <param name="parts">What all share.</param>
    /// <exception cref="BadInputException">OpenSSL does not take the certificate or the settings, or the files of ticket keys cannot be used.</exception>
    public TlsEndpoint(Listener listener, TlsOptions options, CertificateIndex index, ClientTrust? clients, TlsParts parts)
    {
        _listener = listener;
        _parts = parts;
        _clients = clients;
        var policy = new ProtocolPolicy(listener.Options.Protocol!);
        if (policy.Missing.Count > 0)
        {
            parts.Loggers.CreateLogger<TlsEndpoint>().SuitesMissing(listener.Name, TlsNames.Library, string.Join(", ", policy.Missing));
        }

        TlsTicketKeyRing? ticketKeys = parts.Tickets.Find(listener.Options.Tickets!);
        try
        {
            _sites = new TlsSites(listener, index, ticketKeys, clients, policy);
        }
        catch
        {
            parts.Tickets.Release(listener.Options.Tickets!);
            throw;
        }

        Passthrough = new PassthroughRoutes(listener.Name, listener.Options.Passthrough);
        var handshaker = new Handshaker(_sites, Passthrough, options, parts.Lanes, parts.Counters, parts.Time, parts.Loggers.CreateLogger<Handshaker>())
        {
            Telemetry = parts.Telemetry,
        };
        _middleware = new TlsMiddleware(
            handshaker, parts.Tunnels, listener.Options.ClientCertificates ?? new ClientCertificateOptions(), parts.Counters, parts.Time, parts.Loggers.CreateLogger<TlsMiddleware>());
        parts.Certificates.Changed += TakeCertificates;
    }

    /// <summary>Called when it is disposed.</summary>
    public event Action? Gone;

    /// <summary>The names that are not terminated here.</summary>
    public PassthroughRoutes Passthrough { get; }

    /// <summary>One more handshake, for <see cref="ServeAsync"/>. False when this is retired and gone: there is another in its place.</summary>
    public bool TryEnter()
    {
        int count = Volatile.Read(ref _holders);      // a guess, which the exchange confirms
        while (count > 0)
        {
            // Never from zero: whoever brought it there is disposing.
            int seen = Interlocked.CompareExchange(ref _holders, count + 1, count);
            if (seen == count)
            {
                return true;
            }

            count = seen;
        }

        return false;
    }

    /// <summary>Serves one connection to its end, after <see cref="TryEnter"/>.</summary>
    public Task ServeAsync(ConnectionContext connection, ConnectionDelegate next) => _middleware.ServeAsync(connection, Leave, next);

    /// <summary>Its listener has another one now, or is gone. Called once, in place of <see cref="Dispose"/>.</summary>
    public void Retire() => Leave();

    /// <summary>When no handshake is under way any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _parts.Certificates.Changed -= TakeCertificates;
            _sites.Dispose();
            _parts.Tickets.Release(_listener.Options.Tickets!);
            _parts.Clients.Release(_clients);
            Gone?.Invoke();
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            // Not here: whoever watches files may hold what this waits for, while it loads many of them.
            ThreadPool.UnsafeQueueUserWorkItem(static endpoint => endpoint.Dispose(), this, preferLocal: false);
        }
    }

    /// <summary>One that is retired may have certificates that are not in the store any more; they are kept until it goes.</summary>
    private void TakeCertificates()
    {
        if (_parts.Certificates.Index(_listener.Options.Certificates) is { } index)
        {
            _sites.Replace(index);
        }
    }
}
