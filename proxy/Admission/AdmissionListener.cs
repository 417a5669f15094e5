using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace WarpProxy.Admission;

/// <summary>
/// One listening socket. Kestrel asks for one connection after the other; who is refused is reset here, before anything but the socket exists.
/// </summary>
/// <remarks>
/// Of a crowd, only so many connections are taken ahead of the threads that begin to serve them. The rest stays in the kernel: otherwise
/// thousands of new connections would stand in the thread pool's queue before the requests of those that are served already.
/// </remarks>
internal sealed class AdmissionListener : IConnectionListener
{
    private const int MaxRefusalsInTurn = 64;

    private static readonly int MaxStarting = Environment.ProcessorCount;

    private readonly Socket _socket;
    private readonly SocketConnectionContextFactory _connections;
    private readonly ListenerAdmission _admission;
    private readonly PatientSocket _taken;
    private readonly CancellationTokenSource _unbound = new();
    private readonly SemaphoreSlim _starts = new(MaxStarting);
    private readonly Action _onBegun;

    /// <summary>Takes ownership of a socket that listens, and of what makes connections.</summary>
    public AdmissionListener(Socket socket, SocketConnectionContextFactory connections, ListenerAdmission admission, TimeProvider time)
    {
        _socket = socket;
        _connections = connections;
        _admission = admission;
        EndPoint = socket.LocalEndPoint!;
        _taken = new PatientSocket(socket.AcceptAsync, time, _unbound.Token, () => admission.Refusals.Add(RefusalReason.OpenFiles));
        _onBegun = () => _starts.Release();
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <inheritdoc/>
    /// <returns>Null when it listens no more.</returns>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _starts.WaitAsync(_unbound.Token);
            await _admission.WhenRoomAsync().WaitAsync(_unbound.Token);
            for (int refusals = 1; ; refusals++)
            {
                Socket socket = await _taken.TakeAsync(cancellationToken);
                if (TryOpen(socket) is { } connection)
                {
                    return connection;
                }

                if (refusals % MaxRefusalsInTurn == 0)
                {
                    // Those who are served come first.
                    await Task.Yield();
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

    /// <summary>Null when the connection is refused, or has failed already.</summary>
    private ConnectionContext? TryOpen(Socket socket)
    {
        AdmittedConnection? admitted = null;
        try
        {
            admitted = _admission.TryAdmit(socket.RemoteEndPoint);
            if (admitted is not null)
            {
                socket.NoDelay = true;
                ConnectionContext connection = _connections.Create(socket);
                admitted.Attach(connection, _onBegun);
                return connection;
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The client has reset it.
            admitted?.End();
        }

        // With a reset: nothing of it stays in the kernel, as it would until the client closes (FIN_WAIT_2) or for a minute (TIME_WAIT).
        socket.Close(0);
        return null;
    }
}
