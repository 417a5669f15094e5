using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using WarpProxy.Tls;

namespace WarpProxy.Passthrough;

/// <summary>Where bytes go on to: <c>10.0.0.5:443</c>, <c>legacy.example:443</c> or <c>[2001:db8::5]:443</c>.</summary>
internal sealed class UpstreamAddress
{
    private UpstreamAddress(EndPoint endPoint) => EndPoint = endPoint;

    /// <summary>To connect to; a name is resolved anew for each connection.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Parses it; a port is needed.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out UpstreamAddress? address)
    {
        address = null;
        int colon = text.LastIndexOf(':');
        if (colon < 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port is < 1 or > ushort.MaxValue)
        {
            return false;
        }

        string host = text[..colon];
        bool isBracketed = host is ['[', .., ']'];
        if (IPAddress.TryParse(isBracketed ? host[1..^1] : host, out IPAddress? ip))
        {
            // IPv6 in brackets and nothing else in brackets; of the forms of IPv4 only the one of four numbers.
            bool isIPv6 = ip.AddressFamily == AddressFamily.InterNetworkV6;
            address = isBracketed == isIPv6 && (isIPv6 || ip.ToString() == host) ? new UpstreamAddress(new IPEndPoint(ip, port)) : null;
        }
        else if (ClientHelloName.IsHostName(host))
        {
            address = new UpstreamAddress(new DnsEndPoint(host, port));
        }

        return address is not null;
    }
}
