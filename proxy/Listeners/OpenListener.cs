using System.Globalization;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using WarpProxy.Admission;
using WarpProxy.Configuration;
using WarpProxy.Tls;

namespace WarpProxy.Listeners;

/// <summary>
/// A listener whose sockets are open: it accepts connections, and serves each as its state says at that moment. Its sockets' memory is given back when its
/// last connection has ended. Any thread.
/// </summary>
internal sealed class OpenListener : IAsyncDisposable
{
    private readonly IReadOnlyList<IConnectionListener> _sockets;
    private readonly Func<ListenerState, OpenListener, ConnectionDelegate> _compose;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private Task _accepting = Task.CompletedTask;
    private int _holders = 1;       // itself, and its connections
    private int _isDisposed;
    private volatile ListenerState _state;
    private volatile ConnectionDelegate _serve;

    /// <summary>Made by <see cref="ListenerSockets.OpenAsync"/>.</summary>
    public OpenListener(
        ListenerState state,
        IReadOnlyList<IConnectionListener> sockets,
        ListenerAdmission admission,
        Func<ListenerState, OpenListener, ConnectionDelegate> compose,
        ILogger logger)
    {
        Admission = admission;
        _sockets = sockets;
        _compose = compose;
        _logger = logger;
        _state = state;
        _serve = compose(state, this);
    }

    /// <summary>What it does now.</summary>
    public ListenerState State => _state;

    /// <summary>Lets connections in, or not.</summary>
    public ListenerAdmission Admission { get; }

    /// <summary>Where clients connect, with the port that was bound.</summary>
    public string Url
    {
        get
        {
            ListenAddress address = _state.Listener.Address;
            return address.Host == "localhost"
                ? address.ToString()
                : string.Create(CultureInfo.InvariantCulture, $"{(address.IsHttps ? "https" : "http")}://{_sockets[0].EndPoint}");
        }
    }

    /// <summary>Whether a configured listener is this one: at the same address, or, where the system chooses the port, of the same name.</summary>
    public bool Is(Listener listener)
    {
        ListenAddress mine = _state.Listener.Address;
        return mine with { IsHttps = true } == listener.Address with { IsHttps = true } && (mine.Port != 0 || _state.Listener.Name == listener.Name);
    }

    /// <summary>Accepts from now on.</summary>
    public void Start(ChannelWriter<ConnectionContext> accepted) => _accepting = Task.WhenAll(_sockets.Select(socket => AcceptAsync(socket, accepted)));

    /// <summary>Serves the connections to come in another way. Those that are there go on as they began, but handshakes that begin later are the new one's.</summary>
    public void Take(ListenerState state)
    {
        TlsEndpoint? old = _state.Tls;
        Admission.Configure(state.Listener);
        _state = state;
        _serve = _compose(state, this);
        if (old != state.Tls)
        {
            old?.Retire();
        }
    }

    /// <summary>Serves one connection to its end.</summary>
    public async Task ServeAsync(ConnectionContext connection)
    {
        using CancellationTokenRegistration onClosing = _closing.Token.UnsafeRegister(
            static connection => ((ConnectionContext)connection!).Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose(), connection);
        AdmittedConnection? admitted = connection.Features.Get<AdmittedConnection>();
        admitted?.Begin();
        try
        {
            await _serve(connection);
        }
        finally
        {
            admitted?.End();
            Leave();
        }
    }

    /// <summary>TLS as it is now, be it another than when the connection was accepted.</summary>
    public Task ServeTlsAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // Retired is an endpoint only after another one has taken its place, or when no connection is left.
        while (_state.Tls is { } tls)
        {
            if (tls.TryEnter())
            {
                return tls.ServeAsync(connection, next);
            }
        }

        connection.Abort(new ConnectionAbortedException("The listener has become one without TLS."));
        return Task.CompletedTask;
    }

    /// <summary>Closes its sockets; nothing is accepted when this is done. Its connections go on.</summary>
    public async Task UnbindAsync()
    {
        foreach (IConnectionListener socket in _sockets)
        {
            await socket.UnbindAsync();
        }

        await _accepting;
    }

    /// <summary>Closes its sockets, and asks its connections to end when they have done what they are doing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Admission.Process.Remove(Admission);
            await UnbindAsync();
            await _closing.CancelAsync();
            Leave();
        }
    }

    private async Task AcceptAsync(IConnectionListener socket, ChannelWriter<ConnectionContext> accepted)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (await socket.AcceptAsync() is { } connection)
            {
                Interlocked.Increment(ref _holders);
                connection.Features.Set(this);
                await accepted.WriteAsync(connection);
            }
        }
        catch (Exception exception)
        {
            _logger.ListenerFailed(exception, Url);
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _state.Tls?.Retire();
            _ = ReleaseAsync();
        }
    }

    private async Task ReleaseAsync()
    {
        _closing.Dispose();
        foreach (IConnectionListener socket in _sockets)
        {
            await socket.DisposeAsync();
        }
    }
}
