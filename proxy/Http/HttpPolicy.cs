using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Primitives;
using WarpProxy.Listeners;

namespace WarpProxy.Http;

/// <summary>What a listener does to HTTP besides routing it: a feature of each of its connections, and so of each request on them. Any thread.</summary>
internal sealed class HttpPolicy
{
    private readonly HttpsRedirect? _redirect;
    private readonly StringValues _strictTransportSecurity;

    private HttpPolicy(HttpsRedirect? redirect, string? strictTransportSecurity)
    {
        _redirect = redirect;
        _strictTransportSecurity = strictTransportSecurity;
    }

    /// <summary>Makes it for one listener; null when nothing is to be done.</summary>
    public static HttpPolicy? Create(Listener listener)
    {
        ListenerOptions options = listener.Options;
        string? strictTransportSecurity = listener.Address.IsHttps ? options.Hsts?.ToHeader() : null;
        HttpsRedirect? redirect = HttpsRedirect.TryParsePort(options.RedirectToHttps, out int? port) && port is { } number
            ? new HttpsRedirect(number, options.ServeAcmeChallenges)
            : null;
        return redirect is null && strictTransportSecurity is null ? null : new HttpPolicy(redirect, strictTransportSecurity);
    }

    /// <summary>Marks the connections of the listener.</summary>
    public void Configure(IConnectionBuilder connections) => connections.Use(next => connection =>
    {
        connection.Features.Set(this);
        return next(connection);
    });

    /// <summary>The middleware in front of the routes.</summary>
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<HttpPolicy>() is not { } policy)
        {
            return next(context);
        }

        if (policy._redirect is { } redirect && redirect.TryAnswer(context))
        {
            return Task.CompletedTask;
        }

        if (policy._strictTransportSecurity.Count > 0)
        {
            // When the answer begins: YARP has then copied the upstream's headers, of which this one is replaced.
            context.Response.OnStarting(static state => SetStrictTransportSecurity((HttpContext)state), context);
        }

        return next(context);
    }

    private static Task SetStrictTransportSecurity(HttpContext context)
    {
        context.Response.Headers.StrictTransportSecurity = context.Features.Get<HttpPolicy>()!._strictTransportSecurity;
        return Task.CompletedTask;
    }
}
