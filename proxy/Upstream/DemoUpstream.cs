using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using WarpProxy.Hosting;
using WarpProxy.Offload;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace WarpProxy.Upstream;

/// <summary>
/// The upstream that answers when no route is configured: a listener of its own on the loopback, reached through YARP as any
/// other, so that what one sees has gone the whole way. The proxy tells it in two headers how the client connected.
/// </summary>
internal sealed class DemoUpstream : IAsyncDisposable
{
    private const string RouteId = "warpproxy demo";
    private const string TlsHeader = "X-WarpProxy-Tls";
    private const string ProtocolHeader = "X-WarpProxy-Http";

    // To say how the devices are takes far more than all the rest of an answer.
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly WebApplication _application;
    private volatile Devices _devices = new("", 0);

    /// <summary>Prepares it; <see cref="StartAsync"/> opens the port.</summary>
    public DemoUpstream(Accelerator accelerator, Func<string> statusUrl, ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = BareHost.CreateBuilder(loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _application = builder.Build();
        _application.MapGet("/", (HttpRequest request) =>
        {
            var page = new DemoPage(
                request.Headers[ProtocolHeader].ToString(),
                request.Headers[TlsHeader].ToString(),
                $"{request.Headers["X-Forwarded-Proto"]}://{request.Headers["X-Forwarded-Host"]}/",
                Describe(accelerator),
                accelerator.Operations,
                statusUrl());
            request.HttpContext.Response.Headers.CacheControl = "no-store";
            request.HttpContext.Response.Headers.Vary = "Accept";
            bool isBrowser = request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
            return isBrowser ? Results.Text(page.ToHtml(), "text/html; charset=utf-8") : Results.Text(page.ToText(), "text/plain; charset=utf-8");
        });
        _application.MapFallback(() => Results.Text("The demo upstream has one page: /\n", statusCode: StatusCodes.Status404NotFound));
    }

    /// <summary>Has YARP send everything here.</summary>
    public static RouteConfig Route { get; } = new() { RouteId = RouteId, ClusterId = RouteId, Match = new RouteMatch { Path = "{**all}" } };

    /// <summary>This upstream, for <see cref="Route"/>.</summary>
    public ClusterConfig Cluster => new()
    {
        ClusterId = RouteId,
        Destinations = new Dictionary<string, DestinationConfig> { [RouteId] = new() { Address = Url } },
    };

    /// <summary>The URL with the port that was bound.</summary>
    public string Url => _application.Urls.First();

    /// <summary>Opens the port.</summary>
    public Task StartAsync() => _application.StartAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _application.DisposeAsync();

    /// <summary>Adds the two headers to requests that go here.</summary>
    public static void AddTransforms(TransformBuilderContext context)
    {
        if (context.Route.RouteId == RouteId)
        {
            context.AddRequestTransform(TellConnection);
        }
    }

    private string Describe(Accelerator accelerator)
    {
        Devices devices = _devices;
        if (devices.ReadAt == 0 || Stopwatch.GetElapsedTime(devices.ReadAt) > Freshness)
        {
            devices = new Devices(accelerator.Describe(), Stopwatch.GetTimestamp());
            _devices = devices;
        }

        return devices.Text;
    }

    private static ValueTask TellConnection(RequestTransformContext transform)
    {
        HttpContext client = transform.HttpContext;
        ITlsHandshakeFeature? tls = client.Features.Get<ITlsHandshakeFeature>();
        string connection = tls is null ? "none" : $"{tls.Protocol} {tls.NegotiatedCipherSuite}";

        // Removed first: a client may have sent headers of these names.
        transform.ProxyRequest.Headers.Remove(TlsHeader);
        transform.ProxyRequest.Headers.Remove(ProtocolHeader);
        transform.ProxyRequest.Headers.Add(TlsHeader, connection);
        transform.ProxyRequest.Headers.Add(ProtocolHeader, client.Request.Protocol);
        return ValueTask.CompletedTask;
    }

    private sealed record Devices(string Text, long ReadAt);
}
