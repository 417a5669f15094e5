using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>A collector for OTLP over HTTP with protocol buffers: keeps the spans that it is sent, and the metrics of each sending.</summary>
internal sealed class OtlpSink : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<OtlpSpan> _spans = new();
    private readonly ConcurrentQueue<IReadOnlyList<OtlpPoint>> _metrics = new();

    private OtlpSink(WebApplication application) => _application = application;

    public Uri Url => new(_application.Urls.First());

    /// <summary>So far.</summary>
    public IReadOnlyList<OtlpSpan> Spans => [.. _spans];

    /// <summary>What came so far, sending by sending.</summary>
    public IReadOnlyList<IReadOnlyList<OtlpPoint>> Metrics => [.. _metrics];

    public static async Task<OtlpSink> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication application = builder.Build();
        var sink = new OtlpSink(application);
        application.Run(sink.TakeAsync);
        await application.StartAsync();
        return sink;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        Stream sent = context.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
        await sent.CopyToAsync(body, context.RequestAborted);
        if (context.Request.Path == "/v1/traces")
        {
            foreach (OtlpSpan span in OtlpSpan.ReadRequest(body.ToArray()))
            {
                _spans.Enqueue(span);
            }
        }
        else if (context.Request.Path == "/v1/metrics")
        {
            _metrics.Enqueue([.. OtlpPoint.ReadRequest(body.ToArray())]);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }

        // An empty message: everything was taken.
        context.Response.ContentType = "application/x-protobuf";
    }
}
