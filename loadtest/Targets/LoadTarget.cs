using System.Net;
using System.Net.Sockets;

namespace WarpProxy.LoadTest.Targets;

/// <summary>The server to load.</summary>
/// <param name="Url">As it was given.</param>
/// <param name="Host">A name or an address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="PathAndQuery">What to ask for.</param>
internal sealed record LoadTarget(Uri Url, string Host, int Port, string PathAndQuery)
{
    /// <summary>Takes the URL of an HTTPS server, or says in one sentence why not.</summary>
    public static LoadTarget? Parse(string url, out string refusal)
    {
        refusal = "";
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) || parsed.Scheme != Uri.UriSchemeHttps || parsed.Host.Length == 0)
        {
            refusal = $"The URL is '{url}'; it must be like https://localhost:8443.";
            return null;
        }

        if (parsed.UserInfo.Length > 0)
        {
            refusal = $"The URL '{parsed.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}' holds a user; that is not supported.";
            return null;
        }

        return new LoadTarget(parsed, parsed.IdnHost, parsed.Port, parsed.PathAndQuery);
    }

    /// <summary>Its addresses in the system's order, with the port.</summary>
    /// <exception cref="SocketException">The name has none.</exception>
    public IPEndPoint[] Resolve() =>
        [.. (IPAddress.TryParse(Host, out IPAddress? address) ? [address] : Dns.GetHostAddresses(Host)).Select(found => new IPEndPoint(found, Port))];
}
