using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace WarpProxy.Tests.EndToEnd.Streaming;

/// <summary>An upstream in the test's process with one port of HTTP/1.1 and one of HTTP/2, whose answers stream as gRPC's and WebSockets do.</summary>
internal sealed class StreamingUpstream : IAsyncDisposable
{
    private readonly WebApplication _application;
    private int _aborted;

    private StreamingUpstream(WebApplication application) => _application = application;

    /// <summary>Requests whose client, or proxy, has gone before their end.</summary>
    public int AbortedCount => Volatile.Read(ref _aborted);

    public static async Task<StreamingUpstream> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        WebApplication application = builder.Build();
        var upstream = new StreamingUpstream(application);
        application.UseWebSockets();
        application.Run(upstream.AnswerAsync);
        await application.StartAsync();
        return upstream;
    }

    /// <summary>A configuration that sends <c>/h1/...</c> over HTTP/1.1 and everything else over HTTP/2.</summary>
    public string WriteConfig(Harness.Scenario scenario)
    {
        string[] urls = [.. _application.Urls];
        return scenario.Write("proxy.json", $$"""
            {
              "Shutdown": { "Drain": "00:00:01" },
              "ReverseProxy": {
                "Routes": {
                  "h1": { "ClusterId": "h1", "Match": { "Path": "/h1/{**all}" } },
                  "h2": { "ClusterId": "h2", "Match": { "Path": "{**all}" } }
                },
                "Clusters": {
                  "h1": { "HttpRequest": { "Version": "1.1", "VersionPolicy": "RequestVersionExact" }, "Destinations": { "a": { "Address": "{{urls[0]}}" } } },
                  "h2": { "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" }, "Destinations": { "a": { "Address": "{{urls[1]}}" } } }
                }
              }
            }
            """);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        context.RequestAborted.Register(() => Interlocked.Increment(ref _aborted));
        if (context.WebSockets.IsWebSocketRequest)
        {
            using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
            await new MessageSocket(socket).ServeAsync(context.RequestAborted);
            return;
        }

        context.Response.ContentType = "application/grpc";

        // Begun alone, Kestrel would keep the headers until there is something to go with them.
        await context.Response.Body.FlushAsync();
        int received = context.Request.Path.Value switch
        {
            "/echo" => await EchoAsync(context),
            "/both" => await BothWaysAsync(context),
            "/break" => await BreakAsync(context),
            _ => 0,
        };
        context.Response.AppendTrailer("grpc-status", "0");
        context.Response.AppendTrailer("x-received", received.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Answers each message with itself, when it is here.</summary>
    private static async Task<int> EchoAsync(HttpContext context)
    {
        int count = 0;
        for (; await GrpcFrames.ReadAsync(context.Request.BodyReader) is { } message; count++)
        {
            NumberedMessage.Check(count, message);
            await GrpcFrames.WriteAsync(context.Response.Body, message);
        }

        return count;
    }

    /// <summary>Sends messages of its own as long as the client sends its, and one at least.</summary>
    private static async Task<int> BothWaysAsync(HttpContext context)
    {
        int count = 0;
        Task receiving = Task.Run(async () =>
        {
            for (; await GrpcFrames.ReadAsync(context.Request.BodyReader) is { } message; count++)
            {
                NumberedMessage.Check(count, message);
            }
        });
        int sent = 0;
        do
        {
            await GrpcFrames.WriteAsync(context.Response.Body, NumberedMessage.Create(sent++));
        }
        while (!receiving.IsCompleted);

        await receiving;
        return count;
    }

    /// <summary>Resets the stream after a few messages.</summary>
    private static async Task<int> BreakAsync(HttpContext context)
    {
        for (int i = 0; i < 10; i++)
        {
            await GrpcFrames.WriteAsync(context.Response.Body, NumberedMessage.Create(i));
        }

        // When the client has them: what follows a reset may be thrown away with all that waits.
        await GrpcFrames.ReadAsync(context.Request.BodyReader);
        context.Abort();
        return 0;
    }
}
