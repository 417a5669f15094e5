using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace WarpProxy.Admission;

/// <summary>
/// Kestrel's sockets with the admission of connections in front: each listens as Kestrel's own would, and what it takes is a connection of Kestrel's.
/// </summary>
internal sealed class AdmissionTransport(int backlog, IMemoryPoolFactory<byte> memory, TimeProvider time, ILoggerFactory loggers) : IConnectionListenerFactory
{
    private readonly List<(EndPoint EndPoint, ListenerAdmission Admission)> _expected = [];

    /// <summary>Has the host of <paramref name="builder"/> listen through it.</summary>
    public static void AddTo(WebApplicationBuilder builder, int backlog, TimeProvider time)
    {
        builder.Services.AddSingleton(services => new AdmissionTransport(
            backlog, services.GetRequiredService<IMemoryPoolFactory<byte>>(), time, services.GetRequiredService<ILoggerFactory>()));

        // Of several, Kestrel takes the one that was added last.
        builder.Services.AddSingleton<IConnectionListenerFactory>(static services => services.GetRequiredService<AdmissionTransport>());
    }

    /// <summary>Has connections to an endpoint admitted. To be called while Kestrel is configured, before anything else is put on the endpoint.</summary>
    public static ListenerAdmission Admit(ListenOptions endpoint, ListenerAdmission admission)
    {
        endpoint.ApplicationServices.GetRequiredService<AdmissionTransport>()._expected.Add((endpoint.EndPoint, admission));
        ListenerAdmission.Configure(endpoint);
        return admission;
    }

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ListenerAdmission admission = Find(endpoint);
        Socket? socket = null;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.Listen(backlog);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            // Kestrel makes a sentence of it.
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
        return new(new AdmissionListener(socket, connections, admission, time));
    }

    /// <summary>
    /// Kestrel binds the endpoint that it was given, or in its place those of both families: with localhost the two loopback addresses, with *
    /// that of IPv4 where there is no IPv6. Those have a port, which no other listener at such an address has.
    /// </summary>
    private ListenerAdmission Find(EndPoint endpoint)
    {
        foreach ((EndPoint expected, ListenerAdmission admission) in _expected)
        {
            if (ReferenceEquals(expected, endpoint))
            {
                return admission;
            }
        }

        return _expected.First(one => one.EndPoint is IPEndPoint expected && endpoint is IPEndPoint bound
            && expected.Port == bound.Port && IPAddress.IsLoopback(expected.Address) == IPAddress.IsLoopback(bound.Address)).Admission;
    }

    /// <summary>
    /// Kestrel's own listeners take their memory from here, which gives back to the system what a crowd has left. There is no public way to do the
    /// same; a test says if there is this one no more.
    /// </summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void UseMemory(SocketConnectionFactoryOptions options, IMemoryPoolFactory<byte> memory);
}
