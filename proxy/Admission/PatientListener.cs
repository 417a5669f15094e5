using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace WarpProxy.Admission;

/// <summary>
/// One listening socket of a host inside the process that has no limits of ours. Kestrel's own would keep a processor busy for as long as the process may
/// open no more files.
/// </summary>
internal sealed class PatientListener : IConnectionListener
{
    private readonly Socket _socket;
    private readonly SocketConnectionContextFactory _connections;
    private readonly PatientSocket _taken;
    private readonly CancellationTokenSource _unbound = new();

    /// <summary>Takes ownership of a socket that listens, and of what makes connections.</summary>
    public PatientListener(Socket socket, SocketConnectionContextFactory connections, TimeProvider time)
    {
        _socket = socket;
        _connections = connections;
        EndPoint = socket.LocalEndPoint!;
        _taken = new PatientSocket(socket.AcceptAsync, time, _unbound.Token);
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <inheritdoc/>
    /// <returns>Null when it listens no more.</returns>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                Socket socket = await _taken.TakeAsync(cancellationToken);
                try
                {
                    socket.NoDelay = true;
                    return _connections.Create(socket);
                }
                catch (SocketException)
                {
                    // The client has reset it.
                    socket.Dispose();
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbound.Cancel();
        _socket.Dispose();
        return default;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        _connections.Dispose();
    }
}
