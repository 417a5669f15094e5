using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;
using WarpProxy.Tls;

namespace WarpProxy.Http;

/// <summary>
/// Sends clients of http to the same host, path and query on https, with status 308: unlike 301, it never makes a GET of a POST (RFC 9110
/// 15.4.9). Any thread.
/// </summary>
internal sealed class HttpsRedirect(int port, bool servesAcmeChallenges)
{
    private const int DefaultPort = 443;
    private const string AcmePath = "/.well-known/acme-challenge/";

    // Of a token (RFC 8555 8.3): base64url.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    // Without the zones that .NET would read as well.
    private static readonly SearchValues<char> IPv6Characters = SearchValues.Create("0123456789abcdefABCDEF:.");

    private readonly string _port = port == DefaultPort ? "" : string.Create(CultureInfo.InvariantCulture, $":{port}");

    /// <summary>Reads the setting: <c>true</c>, <c>false</c> or a port. <paramref name="port"/> is null where nothing is redirected.</summary>
    public static bool TryParsePort(string? setting, out int? port)
    {
        port = null;
        if (setting is null)
        {
            return true;
        }

        if (bool.TryParse(setting, out bool isOn))
        {
            port = isOn ? DefaultPort : null;
            return true;
        }

        bool isPort = int.TryParse(setting, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and <= ushort.MaxValue;
        port = isPort ? number : null;
        return isPort;
    }

    /// <summary>Answers the request, unless it is one that is served here; returns whether it did.</summary>
    public bool TryAnswer(HttpContext context)
    {
        string target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (servesAcmeChallenges && IsAcmeChallenge(context.Request.Method, target))
        {
            return false;
        }

        // Nothing of the request gets into a header before it is known to be a host, and visible ASCII. Request.Host would be in Unicode.
        string? pathAndQuery = target.StartsWith('/') ? target : context.Request.Path.HasValue ? context.Request.GetEncodedPathAndQuery() : null;
        if (pathAndQuery is null || pathAndQuery.AsSpan().ContainsAnyExceptInRange('!', '~') || ReadHost(context.Request.Headers.Host) is not { } host)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return true;
        }

        context.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        context.Response.Headers.Location = $"https://{host}{_port}{pathAndQuery}";
        context.Response.ContentLength = 0;
        return true;
    }

    /// <summary>The host of a Host header, without its port; null when it is none. IPv6 keeps its brackets.</summary>
    public static string? ReadHost(string? header)
    {
        if (string.IsNullOrEmpty(header))
        {
            return null;
        }

        int end = header[0] == '[' ? header.IndexOf(']') + 1 : header.IndexOf(':');
        string host = end < 0 ? header : header[..end];
        string rest = header[host.Length..];
        bool isPort = rest.Length == 0 || (rest[0] == ':' && rest.Length <= 6 && !rest.AsSpan(1).ContainsAnyExceptInRange('0', '9'));
        if (!isPort)
        {
            return null;
        }

        if (host is ['[', .., ']'])
        {
            string address = host[1..^1];
            return !address.AsSpan().ContainsAnyExcept(IPv6Characters)
                && IPAddress.TryParse(address, out IPAddress? ip)
                && ip.AddressFamily == AddressFamily.InterNetworkV6 ? host : null;
        }

        // A name may end with the root's dot, in URLs; then it is the same host.
        string name = host.EndsWith('.') ? host[..^1] : host;
        return ClientHelloName.IsHostName(name) ? name : null;
    }

    /// <summary>Exactly as an authority asks; nothing encoded, nothing behind the token.</summary>
    private static bool IsAcmeChallenge(string method, string target) =>
        (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        && target.StartsWith(AcmePath, StringComparison.Ordinal)
        && target.Length > AcmePath.Length
        && !target.AsSpan(AcmePath.Length).ContainsAnyExcept(TokenCharacters);
}
