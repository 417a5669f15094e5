using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace WarpProxy.Admission;

/// <summary>
/// Kestrel's sockets with the admission of connections in front: each listens as Kestrel's own would, and what it takes is a connection of Kestrel's.
/// For hosts inside the process it is the transport itself, which lets everybody in.
/// </summary>
internal sealed class AdmissionTransport(int backlog, IMemoryPoolFactory<byte> memory, TimeProvider time, ILoggerFactory loggers) : IConnectionListenerFactory
{
    /// <summary>Listens at an address.</summary>
    /// <exception cref="AddressInUseException">Somebody else does.</exception>
    /// <exception cref="SocketException">It cannot be used.</exception>
    public IConnectionListener Bind(EndPoint endpoint, ListenerAdmission admission) => new AdmissionListener(Listen(endpoint), MakeConnections(), admission, time);

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new(new PatientListener(Listen(endpoint), MakeConnections(), time));

    private Socket Listen(EndPoint endpoint)
    {
        Socket? socket = null;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.Listen(backlog);
            return socket;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket?.Dispose();
            throw new AddressInUseException(exception.Message, exception);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    private SocketConnectionContextFactory MakeConnections()
    {
        var options = new SocketConnectionFactoryOptions();
        UseMemory(options, memory);
        return new SocketConnectionContextFactory(options, loggers.CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets"));
    }

    /// <summary>
    /// Kestrel's own listeners take their memory from here, which gives back to the system what a crowd has left. There is no public way to do the
    /// same; a test says if there is this one no more.
    /// </summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void UseMemory(SocketConnectionFactoryOptions options, IMemoryPoolFactory<byte> memory);
}
