using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using WarpProxy.Configuration;
using WarpProxy.Listeners;

namespace WarpProxy.Doctor;

/// <summary>Whether the addresses of the listeners, of the admin listener and of the metrics can be had. They are taken for a moment, without listening, so that no client is answered.</summary>
internal sealed class ListenerCheck(ProxyOptions options) : ICheck
{
    private const string Admin = "admin";
    private const string Metrics = "metrics";

    /// <inheritdoc/>
    public string Name => "listener";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        List<Socket> held = [];
        try
        {
            // All at once, so that two of ours that want the same port are seen.
            foreach (Listener listener in options.Listeners)
            {
                yield return Examine(Name, listener.Address, held) with { Subject = listener.Name == listener.Address.ToString() ? null : listener.Name };
            }

            if (ListenAddress.TryParse(options.Server.Admin, "", out ListenAddress? admin, out _))
            {
                yield return Examine(Admin, admin, held);
            }

            if (options.Server.Metrics is { } url && ListenAddress.TryParse(url, "", out ListenAddress? metrics, out _))
            {
                yield return Examine(Metrics, metrics, held);
            }
        }
        finally
        {
            held.ForEach(static socket => socket.Dispose());
        }
    }

    private static Finding Examine(string check, ListenAddress address, List<Socket> held)
    {
        try
        {
            Take(address, held);
            string seen = address.Port == 0 ? "the system chooses the port" : $"{address} is free";
            return Finding.Ok(check, null, seen) with { Values = ValuesOf(address) };
        }
        catch (SocketException exception)
        {
            return Refuse(check, address, exception) with { Values = ValuesOf(address) };
        }
    }

    private static Finding Refuse(string check, ListenAddress address, SocketException exception)
    {
        switch (exception.SocketErrorCode)
        {
            case SocketError.AddressAlreadyInUse:
                var holder = PortHolder.Find(address.Port);
                return holder is { IsProxy: true }
                    ? Finding.Warning(check, null, $"{address} is in use by {holder}", "That is right if it is this proxy, which serves already; else stop it, or take another port")
                    : Finding.Failed(
                        check,
                        null,
                        holder is null ? $"{address} is in use" : holder.ProcessId == Environment.ProcessId ? $"{address} is in use by another listener of this configuration" : $"{address} is in use by {holder}",
                        "Stop what has it, or take another port");
            case SocketError.AccessDenied:
                return Finding.Failed(
                    check,
                    null,
                    $"{address} may not be used by this user: ports below 1024 need the capability CAP_NET_BIND_SERVICE",
                    "systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE; docker and Kubernetes: add the capability NET_BIND_SERVICE; or sysctl net.ipv4.ip_unprivileged_port_start; or take a port from 1024 on");
            case SocketError.AddressNotAvailable:
                return Finding.Failed(check, null, $"{address} is no address of this machine", "Take one that 'ip address' shows, or * for all");
            default:
                return Finding.Failed(check, null, $"{address} cannot be used: {exception.Message.TrimEnd('.')}", null);
        }
    }

    /// <summary>As the proxy binds them: of localhost one family is enough, and * is both where there are both.</summary>
    private static void Take(ListenAddress address, List<Socket> held)
    {
        if (address.Address is { } ip)
        {
            held.Add(Bind(ip, address.Port));
        }
        else if (address.Host == "*")
        {
            try
            {
                held.Add(Bind(IPAddress.IPv6Any, address.Port));
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
            {
                held.Add(Bind(IPAddress.Any, address.Port));
            }
        }
        else
        {
            held.Add(Bind(IPAddress.Loopback, address.Port));
            try
            {
                held.Add(Bind(IPAddress.IPv6Loopback, address.Port));
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
            {
                // The other one is enough.
            }
        }
    }

    private static Socket Bind(IPAddress address, int port) => SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(address, port));

    private static Dictionary<string, object?> ValuesOf(ListenAddress address) => new() { ["url"] = address.ToString(), ["port"] = address.Port };
}
