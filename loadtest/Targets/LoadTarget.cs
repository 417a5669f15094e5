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
    public bool IsHttps => Url.Scheme == Uri.UriSchemeHttps;

    /// <summary>For the Host header: the name in ASCII, and the port unless it is the scheme's.</summary>
    public string Authority
    {
        get
        {
            string host = Url.HostNameType == UriHostNameType.IPv6 ? $"[{Host}]" : Host;
            return Url.IsDefaultPort ? host : $"{host}:{Port}";
        }
    }

    /// <summary>Takes the URL of a server, or says in one sentence why not.</summary>
    /// <param name="url">As it was given.</param>
    /// <param name="refusal">The sentence.</param>
    /// <param name="isPlainAllowed">Whether it may be http, too.</param>
    public static LoadTarget? Parse(string url, out string refusal, bool isPlainAllowed = false)
    {
        refusal = "";
        bool isUrl = Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Host.Length > 0;
        if (!isUrl || !(parsed!.Scheme == Uri.UriSchemeHttps || (isPlainAllowed && parsed.Scheme == Uri.UriSchemeHttp)))
        {
            string allowed = isPlainAllowed ? "https://localhost:8443 or http://localhost:8080" : "https://localhost:8443";
            refusal = $"The URL is '{url}'; it must be like {allowed}.";
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
