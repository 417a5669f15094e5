using System.Text;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Http;

/// <summary>What each request is like.</summary>
internal sealed class RequestShape
{
    private static readonly string[] Own = ["Connection", "Content-Length", "Transfer-Encoding"];

    /// <summary>What bodies are made of, again and again. Text, so that nobody's log or terminal suffers.</summary>
    private static readonly byte[] Filling = [.. Enumerable.Range(0, 64 * 1024).Select(static i => (byte)('a' + (i % 26)))];

    public string Method { get; init; } = "GET";

    /// <summary>Null for a request without a body.</summary>
    public long? BodyBytes { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Whether sending it twice does no harm (RFC 9110 9.2.2), so that one that met a connection just closed may be sent again.</summary>
    public bool IsIdempotent => Method is not ("POST" or "PATCH");

    /// <summary>Whether responses have no body whatever their headers say.</summary>
    public bool IsHead => Method == "HEAD";

    /// <summary>The next bytes of a body of which so many were sent.</summary>
    public static ReadOnlyMemory<byte> BodyFrom(long sent, long left)
    {
        int begin = (int)(sent % Filling.Length);
        return Filling.AsMemory(begin, (int)Math.Min(left, Filling.Length - begin));
    }

    /// <summary>Takes <c>Name: value</c>, or says in one sentence why not.</summary>
    public static KeyValuePair<string, string>? ParseHeader(string text, out string refusal)
    {
        refusal = "";
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = text[..Math.Max(colon, 0)];
        string value = text[(colon + 1)..].Trim();
        if (!IsToken(name) || value.Any(static c => c is < ' ' or > '~'))
        {
            refusal = $"--header is '{text}'; it must be like 'Name: value', in ASCII.";
            return null;
        }

        if (Own.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            refusal = $"--header is '{text}'; {name} follows from the other options.";
            return null;
        }

        return new(name, value);
    }

    /// <summary>A token of RFC 9110 5.6.2, as methods and names of headers are.</summary>
    public static bool IsToken(string text) =>
        text.Length > 0 && text.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    /// <summary>The headers that are sent: the given ones, and before them what was not given.</summary>
    public IEnumerable<KeyValuePair<string, string>> HeadersFor(LoadTarget target)
    {
        KeyValuePair<string, string>[] usual = [new("Host", target.Authority), new("User-Agent", "warp-loadtest"), new("Accept", "*/*")];
        return usual.ExceptBy(Headers.Select(static given => given.Key), static header => header.Key, StringComparer.OrdinalIgnoreCase).Concat(Headers);
    }

    /// <summary>The bytes of an HTTP/1.1 request before its body.</summary>
    public byte[] HeadFor(LoadTarget target, bool isLast)
    {
        var head = new StringBuilder($"{Method} {target.PathAndQuery} HTTP/1.1\r\n");
        foreach ((string name, string value) in HeadersFor(target))
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        if (BodyBytes is long length)
        {
            head.Append("Content-Length: ").Append(length).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(head.Append(isLast ? "Connection: close\r\n\r\n" : "\r\n").ToString());
    }
}
