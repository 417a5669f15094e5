using System.Net.Http.Headers;
using WarpProxy.Listeners;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace WarpProxy.ClientCertificates;

/// <summary>
/// The headers by which upstreams learn of verified clients (RFC 9440). Upstreams believe them; so they are taken from whatever clients send, on
/// every listener, and set only for a connection whose client was verified.
/// </summary>
internal sealed class ClientCertificateHeaders
{
    private readonly string[] _names;

    /// <summary>Those of every listener, and those that RFC 9440 names.</summary>
    public ClientCertificateHeaders(IEnumerable<Listener> listeners)
    {
        IEnumerable<ClientCertificateOptions> sections = listeners.Select(static listener => listener.Options.ClientCertificates).OfType<ClientCertificateOptions>();
        _names =
        [
            .. sections.Append(new ClientCertificateOptions())
                .SelectMany(static section => new[] { section.Header, section.ChainHeader })
                .SelectMany(Spell)
                .Distinct(StringComparer.OrdinalIgnoreCase),
        ];
    }

    /// <summary>Takes them from a request, before anything looks at its headers.</summary>
    public Task StripAsync(HttpContext context, RequestDelegate next)
    {
        IHeaderDictionary headers = context.Request.Headers;
        foreach (string name in _names)
        {
            headers.Remove(name);
        }

        return next(context);
    }

    /// <summary>Sets them on the request to the upstream.</summary>
    public static void AddTransforms(TransformBuilderContext context) => context.AddRequestTransform(static transform =>
    {
        if (transform.HttpContext.Features.Get<VerifiedClient>() is { } client)
        {
            Set(transform.ProxyRequest.Headers, client.Options.Header, client.Value);
            if (client.Options.SendChain && client.ChainValue.Length > 0)
            {
                Set(transform.ProxyRequest.Headers, client.Options.ChainHeader, client.ChainValue);
            }
        }

        return ValueTask.CompletedTask;
    });

    private static void Set(HttpRequestHeaders headers, string name, string value)
    {
        headers.Remove(name);
        headers.TryAddWithoutValidation(name, value);
    }

    /// <summary>
    /// The name, and as it is with underscores: whoever hands headers on as variables (CGI, RFC 3875 4.1.18, and all that follows it) makes the
    /// same of <c>Client-Cert</c> and <c>Client_Cert</c>.
    /// </summary>
    private static IEnumerable<string> Spell(string name)
    {
        int[] hyphens = [.. Enumerable.Range(0, name.Length).Where(i => name[i] == '-')];
        for (int choice = 0; choice < 1 << hyphens.Length; choice++)
        {
            char[] spelling = name.ToCharArray();
            for (int i = 0; i < hyphens.Length; i++)
            {
                spelling[hyphens[i]] = (choice >> i & 1) == 0 ? '-' : '_';
            }

            yield return new string(spelling);
        }
    }
}
