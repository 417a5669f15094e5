using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace WarpProxy.Admission;

/// <summary>
/// Kestrel's sockets with the admission of connections in front: each listens as Kestrel's own would, and what it takes is a connection of Kestrel's.
/// </summary>
internal sealed class AdmissionTransport(int backlog, IMemoryPoolFactory<byte> memory, TimeProvider time, ILoggerFactory loggers)
{
    /// <summary>Listens at an address.</summary>
    /// <exception cref="AddressInUseException">Somebody else does.</exception>
    /// <exception cref="SocketException">It cannot be used.</exception>
    public IConnectionListener Bind(EndPoint endpoint, ListenerAdmission admission)
    {
        Socket? socket = null;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.Listen(backlog);
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

        var options = new SocketConnectionFactoryOptions();
        UseMemory(options, memory);
        var connections = new SocketConnectionContextFactory(options, loggers.CreateLogger("Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets"));
        return new AdmissionListener(socket, connections, admission, time);
    }

    /// <summary>
    /// Kestrel's own listeners take their memory from here, which gives back to the system what a crowd has left. There is no public way to do the
    /// same; a test says if there is this one no more.
    /// </summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void UseMemory(SocketConnectionFactoryOptions options, IMemoryPoolFactory<byte> memory);
}
