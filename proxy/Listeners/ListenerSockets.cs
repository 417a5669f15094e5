using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using WarpProxy.Admission;
using WarpProxy.Configuration;

namespace WarpProxy.Listeners;

/// <summary>
/// All listeners behind the one endpoint that Kestrel has: so they can come and go while it serves, which its own endpoints cannot.
/// <code>
/// sockets of OpenListener, any number -> _accepted -> Kestrel -> OpenListener.ServeAsync -> PROXY protocol, TLS, HTTP
/// </code>
/// </summary>
internal sealed class ListenerSockets : IConnectionListenerFactory, IConnectionListener
{
    // Kestrel takes them at once; in a storm the kernel's backlog is the place to wait.
    private const int MaxAccepted = 64;

    private readonly Channel<ConnectionContext> _accepted = Channel.CreateBounded<ConnectionContext>(new BoundedChannelOptions(MaxAccepted) { SingleReader = true });
    private readonly ConnectionAdmission _admission;
    private readonly Action<Listener, IConnectionBuilder> _addProxyProtocol;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private volatile IReadOnlyList<OpenListener> _all = [];         // written under _gate
    private AdmissionTransport? _sockets;
    private ConnectionDelegate? _http;
    private bool _isUnbound;                                        // under _gate

    /// <summary>Prepares it.</summary>
    public ListenerSockets(ConnectionAdmission admission, Action<Listener, IConnectionBuilder> addProxyProtocol, ILogger logger)
    {
        _admission = admission;
        _addProxyProtocol = addProxyProtocol;
        _logger = logger;
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; } = new ListenersEndPoint();

    /// <summary>The listeners that are open, in the order of configuration.</summary>
    public IReadOnlyList<OpenListener> All => _all;

    /// <summary>Has a host listen through it.</summary>
    public void AddTo(WebApplicationBuilder builder, int backlog, TimeProvider time)
    {
        // Of several, Kestrel takes the one that was added last.
        builder.Services.AddSingleton<IConnectionListenerFactory>(services =>
        {
            _sockets = new AdmissionTransport(
                backlog, services.GetRequiredService<IMemoryPoolFactory<byte>>(), time, services.GetRequiredService<ILoggerFactory>());
            return this;
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(EndPoint, endpoint => endpoint.Use(next =>
        {
            _http = next;
            return static connection => connection.Features.Get<OpenListener>()!.ServeAsync(connection);
        })));
    }

    /// <summary>Opens a listener's sockets. Clients can connect; they are served when it is among those of <see cref="Replace"/>.</summary>
    /// <exception cref="IOException">The address is in use.</exception>
    /// <exception cref="SocketException">It cannot be used.</exception>
    public async Task<OpenListener> OpenAsync(ListenerState state)
    {
        ListenAddress address = state.Listener.Address;
        ListenerAdmission admission = _admission.Add(state.Listener);
        try
        {
            IReadOnlyList<IConnectionListener> sockets = address.Address is { } ip ? [Bind(address, ip, admission)]
                : address.Host == "*" ? [BindAny(address, admission)]
                : await BindLocalhostAsync(address, admission);
            return new OpenListener(state, sockets, admission, Compose, _logger);
        }
        catch
        {
            _admission.Remove(admission);
            throw;
        }
    }

    /// <summary>Has these serve, and no others: new ones begin, those that are not among them close their sockets, and their connections end in their time.</summary>
    public void Replace(IReadOnlyList<OpenListener> listeners)
    {
        OpenListener[] gone;
        lock (_gate)
        {
            if (_isUnbound)
            {
                gone = [.. listeners.Except(_all)];
            }
            else
            {
                gone = [.. _all.Except(listeners)];
                foreach (OpenListener listener in listeners.Except(_all))
                {
                    listener.Start(_accepted.Writer);
                }

                _all = listeners;
            }
        }

        foreach (OpenListener listener in gone)
        {
            _ = listener.DisposeAsync().AsTask();
        }
    }

    /// <inheritdoc/>
    ValueTask<IConnectionListener> IConnectionListenerFactory.BindAsync(EndPoint endpoint, CancellationToken cancellationToken) => new(this);

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _accepted.Reader.WaitToReadAsync(cancellationToken) && _accepted.Reader.TryRead(out ConnectionContext? connection) ? connection : null;

    /// <inheritdoc/>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        IReadOnlyList<OpenListener> all;
        lock (_gate)
        {
            _isUnbound = true;
            all = _all;
        }

        foreach (OpenListener listener in all)
        {
            await listener.UnbindAsync();
        }

        // What was accepted is still served.
        _accepted.Writer.TryComplete();
    }

    /// <summary>After the last connection.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (OpenListener listener in _all)
        {
            await listener.DisposeAsync();
        }
    }

    private ConnectionDelegate Compose(ListenerState state, OpenListener listener) => state.Compose(_addProxyProtocol, listener.Admission, listener.ServeTlsAsync, _http!);

    private IConnectionListener Bind(ListenAddress address, IPAddress ip, ListenerAdmission admission)
    {
        try
        {
            return _sockets!.Bind(new IPEndPoint(ip, address.Port), admission);
        }
        catch (AddressInUseException exception)
        {
            throw new IOException($"Failed to bind to address {address}: address already in use.", exception);
        }
    }

    /// <summary>Clients of both families, where there are both.</summary>
    private IConnectionListener BindAny(ListenAddress address, ListenerAdmission admission)
    {
        try
        {
            return Bind(address, IPAddress.IPv6Any, admission);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
        {
            return Bind(address, IPAddress.Any, admission);
        }
    }

    private async Task<IReadOnlyList<IConnectionListener>> BindLocalhostAsync(ListenAddress address, ListenerAdmission admission)
    {
        List<IConnectionListener> sockets = [];
        SocketException? refusal = null;
        foreach (IPAddress ip in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            try
            {
                sockets.Add(Bind(address, ip, admission));
            }
            catch (SocketException exception)
            {
                // One of the two families is enough.
                refusal = exception;
            }
            catch
            {
                foreach (IConnectionListener socket in sockets)
                {
                    await socket.DisposeAsync();
                }

                throw;
            }
        }

        return sockets.Count > 0 ? sockets : throw refusal!;
    }

    private sealed class ListenersEndPoint : EndPoint
    {
        public override string ToString() => "listeners";
    }
}
