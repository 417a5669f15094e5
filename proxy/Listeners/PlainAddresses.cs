using System.Net;
using Microsoft.AspNetCore.Connections;

namespace WarpProxy.Listeners;

/// <summary>
/// Where a socket takes clients of both families, those of IPv4 have addresses of IPv6 (::ffff:192.0.2.1). Upstreams, and rules for them, know such
/// a client as 192.0.2.1, which it is on every other listener.
/// </summary>
internal static class PlainAddresses
{
    /// <summary>Changes the connections of a listener; others than those for both families are left as they are.</summary>
    public static void Configure(Listener listener, IConnectionBuilder connections)
    {
        if (listener.Address.Address is null || listener.Address.Address.Equals(IPAddress.IPv6Any))
        {
            connections.Use(static next => connection =>
            {
                connection.RemoteEndPoint = ToPlain(connection.RemoteEndPoint);
                connection.LocalEndPoint = ToPlain(connection.LocalEndPoint);
                return next(connection);
            });
        }
    }

    /// <summary>The address as a listener of its own family alone would have it.</summary>
    public static EndPoint? ToPlain(EndPoint? endPoint) => endPoint is IPEndPoint { Address: { IsIPv4MappedToIPv6: true } address, Port: var port }
        ? new IPEndPoint(address.MapToIPv4(), port)
        : endPoint;
}
