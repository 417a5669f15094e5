using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>A real upstream in the test's process: echoes bodies and headers, and has one answer that ends when the test says so.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    /// <summary>Length of the answer of <c>/flood</c>: more than all buffers on the way hold.</summary>
    public const long FloodBytes = 200_000_000;

    private readonly WebApplication _application;
    private readonly TaskCompletionSource _slowBegan = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _slowMayEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private long _floodedBytes;
    private int _closedFloods;

    private Upstream(WebApplication application) => _application = application;

    /// <summary>Done when a request for <c>/slow</c> has its first bytes.</summary>
    public Task SlowBegan => _slowBegan.Task;

    public Uri Url => new(_application.Urls.First());

    /// <summary>How much of <c>/flood</c> the connection has taken.</summary>
    public long FloodedBytes => Interlocked.Read(ref _floodedBytes);

    /// <summary>Requests for <c>/flood</c> whose connection was closed; one whose answer was taken whole stays open.</summary>
    public int ClosedFloods => Volatile.Read(ref _closedFloods);

    public static async Task<Upstream> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        WebApplication application = builder.Build();
        var upstream = new Upstream(application);
        application.UseWebSockets();
        application.Run(upstream.AnswerAsync);
        await application.StartAsync();
        return upstream;
    }

    /// <summary>A client that trusts <paramref name="certificate"/> and reuses no connection of another test.</summary>
    public static HttpClient Client(TestCertificate certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(certificate.Root);
        return new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(5) };
    }

    /// <summary>Lets the answer of <c>/slow</c> end.</summary>
    public void EndSlow() => _slowMayEnd.TrySetResult();

    /// <summary>Writes a configuration whose one route leads here.</summary>
    public string WriteConfig(Scenario scenario, string path) => scenario.Write("proxy.json", $$"""
        {
          "ReverseProxy": {
            "Routes": { "one": { "ClusterId": "one", "Match": { "Path": "{{path}}" } } },
            "Clusters": { "one": { "Destinations": { "here": { "Address": "{{_application.Urls.First()}}" } } } }
          }
        }
        """);

    public async ValueTask DisposeAsync()
    {
        EndSlow();
        await _application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.Path == "/echo")
        {
            // All of it before the first byte goes back: HttpClient reads no answer before its request is sent, and would
            // wait for ever for an upstream that waits for it.
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            body.Position = 0;
            await body.CopyToAsync(context.Response.Body);
        }
        else if (request.Path == "/socket")
        {
            using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
            await EchoAsync(socket, context.RequestAborted);
        }
        else if (request.Path == "/flood")
        {
            await FloodAsync(context);
        }
        else if (request.Path == "/headers")
        {
            await context.Response.WriteAsync(string.Join('\n', request.Headers.Select(header => $"{header.Key}: {header.Value}")));
        }
        else if (request.Path.StartsWithSegments("/pattern", out PathString pattern))
        {
            byte[] bytes = Pattern.Parse(pattern.Value!).ToBytes();
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes);
        }
        else if (request.Path == "/strict")
        {
            context.Response.Headers.StrictTransportSecurity = "max-age=1";
        }
        else if (request.Path == "/slow")
        {
            await context.Response.WriteAsync("begin ");
            await context.Response.Body.FlushAsync();
            _slowBegan.TrySetResult();
            await _slowMayEnd.Task;
            await context.Response.WriteAsync("end");
        }
        else
        {
            await context.Response.WriteAsync($"upstream: {request.Method} {request.Path}");
        }
    }

    private static async Task EchoAsync(WebSocket socket, CancellationToken aborted)
    {
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(), aborted);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, aborted);
                return;
            }

            await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, aborted);
        }
    }

    private async Task FloodAsync(HttpContext context)
    {
        // Of the connection, not of the request: Kestrel drops what is written after an abort, so that the request may end before it learns it.
        CancellationToken closed = context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().ConnectionClosed;
        closed.Register(() => Interlocked.Increment(ref _closedFloods));
        byte[] part = new byte[100_000];
        context.Response.ContentLength = FloodBytes;
        for (long sent = 0; sent < FloodBytes && !closed.IsCancellationRequested; sent += part.Length)
        {
            await context.Response.Body.WriteAsync(part, closed);
            Interlocked.Add(ref _floodedBytes, part.Length);
        }
    }
}
