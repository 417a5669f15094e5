using System.ComponentModel.DataAnnotations;
using WarpProxy.Http;
using WarpProxy.Passthrough;
using WarpProxy.ProxyProtocol;

namespace WarpProxy.Listeners;

/// <summary>What happens before TLS, past it, and around HTTP.</summary>
internal sealed partial record ListenerOptions
{
    /// <summary>Whether each connection begins with a PROXY protocol header.</summary>
    public ProxyProtocolMode ProxyProtocol { get; init; }

    /// <summary>Networks and addresses of the load balancers that send it; connections from elsewhere are closed.</summary>
    public IReadOnlyList<string> ProxyProtocolFrom { get; init; } = [];

    /// <summary>Names that go on to an upstream without being terminated.</summary>
    public IReadOnlyDictionary<string, PassthroughOptions> Passthrough { get; init; } = new Dictionary<string, PassthroughOptions>();

    /// <summary>On http: <c>true</c>, or the port of https where clients are sent to. Null or <c>false</c>: requests are served.</summary>
    public string? RedirectToHttps { get; init; }

    /// <summary>Whether requests of a certificate authority for http-01 challenges (RFC 8555 8.3) are served where others are redirected.</summary>
    public bool ServeAcmeChallenges { get; init; }

    /// <summary>Section <c>Hsts</c>, for https.</summary>
    public HstsOptions? Hsts { get; init; }

    /// <param name="path">Of the section.</param>
    /// <param name="isHttps">Null when the URL is not one.</param>
    private IEnumerable<ValidationResult> ValidateEdge(string path, bool? isHttps) =>
        [.. ValidateProxyProtocol(path), .. ValidatePassthrough(path, isHttps), .. ValidateHttp(path, isHttps)];

    private IEnumerable<ValidationResult> ValidateProxyProtocol(string path)
    {
        if (ProxyProtocol == ProxyProtocolMode.Required && ProxyProtocolFrom.Count == 0)
        {
            yield return new(
                $"{path}:ProxyProtocolFrom is empty but {path}:ProxyProtocol is required; it must name the networks of the load balancers, such as 10.0.0.0/8.",
                [nameof(ProxyProtocolFrom)]);
        }

        if (ProxyProtocol == ProxyProtocolMode.Off && ProxyProtocolFrom.Count > 0)
        {
            yield return new(
                $"{path}:ProxyProtocolFrom has '{ProxyProtocolFrom[0]}' but {path}:ProxyProtocol is off; set it to required, or leave both out.",
                [nameof(ProxyProtocolFrom)]);
        }

        foreach (string network in ProxyProtocolFrom)
        {
            if (TrustedNetworks.FindProblem(network) is { } problem)
            {
                yield return new($"{path}:ProxyProtocolFrom has '{network}'; {problem}", [nameof(ProxyProtocolFrom)]);
            }
        }
    }

    private IEnumerable<ValidationResult> ValidatePassthrough(string path, bool? isHttps)
    {
        if (isHttps == false && Passthrough.Count > 0)
        {
            yield return new(
                $"{path}:Passthrough has '{Passthrough.Keys.First()}' but {path}:Url is '{Url}'; names to pass through are those of https.", [nameof(Passthrough)]);
        }

        foreach (string twice in PassthroughRoutes.FindTwice(Passthrough.Values))
        {
            yield return new($"{path}:Passthrough has the name '{twice}' more than once; each must go to one upstream.", [nameof(Passthrough)]);
        }
    }

    private IEnumerable<ValidationResult> ValidateHttp(string path, bool? isHttps)
    {
        if (!HttpsRedirect.TryParsePort(RedirectToHttps, out int? port))
        {
            yield return new(
                $"{path}:RedirectToHttps is '{RedirectToHttps}'; it must be true, false, or the port of https between 1 and 65535.", [nameof(RedirectToHttps)]);
        }
        else if (isHttps == true && port is not null)
        {
            yield return new(
                $"{path}:RedirectToHttps is '{RedirectToHttps}' but {path}:Url is '{Url}'; only http can be redirected to https.", [nameof(RedirectToHttps)]);
        }
        else if (ServeAcmeChallenges && port is null)
        {
            yield return new(
                $"{path}:ServeAcmeChallenges is true but {path}:RedirectToHttps is not set; without it every request is served.", [nameof(ServeAcmeChallenges)]);
        }

        if (isHttps == false && Hsts is not null)
        {
            yield return new($"{path}:Hsts is set but {path}:Url is '{Url}'; HSTS may be sent over https alone (RFC 6797 7.2).", [nameof(Hsts)]);
        }
    }
}
