using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;
using WarpProxy.Live;
using WarpProxy.Tls;

namespace WarpProxy.Telemetry;

/// <summary>
/// What is told of each private-key operation: how long it took in all, how long it waited and how long it was computed, by path; and the child span of a
/// handshake that is traced. Called on the thread of the operation.
/// </summary>
internal sealed class OperationTelemetry : IOperationObserver
{
    /// <summary>Name of the span.</summary>
    public const string SpanName = "rsa.private_key_operation";

    // Seconds.
    private static readonly double[] Bounds =
        [0.00005, 0.0001, 0.00015, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.5, 1];

    private static readonly double[] BatchBounds = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 32];

    // Boxed once: a tag is an object.
    private static readonly object[] Sizes = [.. Enumerable.Range(0, 17).Select(static place => (object)(place * 1024))];
    private static readonly string[] Reasons = [.. Enum.GetValues<AcceleratorError>().Select(static error => JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ToString()))];
    private static readonly string[] Uses = ["raw", "pkcs1", "pss", "decrypt"];

    [ThreadStatic]
    private static OperationTimeline? _timeline;

    private readonly ActivitySource _source;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _wait;
    private readonly Histogram<double> _execute;
    private readonly Histogram<double> _check;
    private readonly Histogram<int> _batchSize;

    /// <summary>Makes the instruments.</summary>
    public OperationTelemetry(Meter meter, ActivitySource source)
    {
        _source = source;
        var times = new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds };
        _duration = meter.CreateHistogram(
            "warpproxy.operation.duration", "s", "Private-key operations, from the request of OpenSSL to its answer, by path and key size.", advice: times);
        _wait = meter.CreateHistogram(
            "warpproxy.operation.wait", "s", "Time between the doorbell and the start of computation, of operations whose device tells.", advice: times);
        _execute = meter.CreateHistogram(
            "warpproxy.operation.execute", "s", "Time of computation alone: of the whole batch on a device that tells, of the one operation in software.", advice: times);
        _check = meter.CreateHistogram("warpproxy.fault_check.duration", "s", "Time of checking a device's result with the public key.", advice: times);
        _batchSize = meter.CreateHistogram(
            "warpproxy.operation.batch_size", "{operation}", "Operations that a device computed together, counted by each of them.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [.. BatchBounds.Select(static bound => (int)bound)] });
    }

    /// <summary>Counts for the live page; null: there is nothing to be kept for it.</summary>
    public HandshakeStatistics? Statistics { get; init; }

    /// <inheritdoc/>
    public OperationTimeline? Watch() =>
        _duration.Enabled || HandshakeLane.CurrentHandshake?.Span is not null ? _timeline ??= new OperationTimeline() : null;

    /// <inheritdoc/>
    public void Record(OperationTimeline timeline, in OperationResult result)
    {
        string path = result.IsOnDevice ? HandshakePath.Device : result.HasFailed ? HandshakePath.None : HandshakePath.Software;
        var tags = new TagList { { "path", path }, { "key_size", SizeOf(result) }, { "device", timeline.DeviceUri ?? "none" } };
        _duration.Record(Seconds(timeline.Begun, timeline.Ended), tags);
        if (!result.IsOnDevice && timeline.SoftwareBegun != 0)
        {
            _execute.Record(Seconds(timeline.SoftwareBegun, timeline.Ended), tags);
        }
        else if (result.IsOnDevice)
        {
            _check.Record(Seconds(timeline.Reaped, timeline.Checked));
            if (timeline.BatchSize > 0)
            {
                _wait.Record(Seconds(timeline.Posted, timeline.ComputeBegun), tags);
                _execute.Record(Seconds(timeline.ComputeBegun, timeline.ComputeEnded), tags);
                _batchSize.Record(timeline.BatchSize, new KeyValuePair<string, object?>("device", timeline.DeviceUri));
                Statistics?.RecordBatch(timeline.BatchSize);
            }
        }

        if (HandshakeLane.CurrentHandshake is { } handshake)
        {
            handshake.Path = path;
            handshake.ModulusBits = result.ModulusBits;
            handshake.Fallback = result.Error == AcceleratorError.None ? null : Reasons[(int)result.Error];
            handshake.Steps.Take(timeline);
            if (handshake.Span is { } parent)
            {
                Trace(parent, timeline, result, path);
            }
        }
    }

    private void Trace(Activity parent, OperationTimeline timeline, in OperationResult result, string path)
    {
        long now = Stopwatch.GetTimestamp();
        DateTime utcNow = DateTime.UtcNow;
        DateTime At(long timestamp) => utcNow - Stopwatch.GetElapsedTime(timestamp, now);

        using Activity? span = _source.StartActivity(SpanName, ActivityKind.Internal, parent.Context, startTime: At(timeline.Begun));
        if (span is null)
        {
            return;
        }

        span.SetTag("warpproxy.path", path)
            .SetTag("warpproxy.key_size", result.ModulusBits)
            .SetTag("warpproxy.padding", Uses[(int)result.Use]);
        if (result.Decision is { } decision)
        {
            span.SetTag("warpproxy.decision", decision.ToString().ToLowerInvariant());
        }

        if (timeline.DeviceUri is not null)
        {
            span.SetTag("warpproxy.device", timeline.DeviceUri)
                .SetTag("warpproxy.queue", timeline.QueueNumber)
                .SetTag("warpproxy.queue_wait", Seconds(timeline.Begun, timeline.Posted))
                .AddEvent(new ActivityEvent("posted", At(timeline.Posted)));
        }

        if (timeline.BatchSize > 0)
        {
            span.SetTag("warpproxy.batch_size", timeline.BatchSize)
                .SetTag("warpproxy.batch_wait", Seconds(timeline.Posted, timeline.ComputeBegun))
                .SetTag("warpproxy.execute", Seconds(timeline.ComputeBegun, timeline.ComputeEnded))
                .AddEvent(new ActivityEvent("computing", At(timeline.ComputeBegun)))
                .AddEvent(new ActivityEvent("computed", At(timeline.ComputeEnded)));
        }

        if (timeline.Reaped != 0)
        {
            span.AddEvent(new ActivityEvent("reaped", At(timeline.Reaped)));
        }

        if (timeline.Checked != 0)
        {
            span.SetTag("warpproxy.fault_check", Seconds(timeline.Reaped, timeline.Checked)).AddEvent(new ActivityEvent("checked", At(timeline.Checked)));
        }

        if (timeline.SoftwareBegun != 0)
        {
            span.SetTag("warpproxy.software", Seconds(timeline.SoftwareBegun, timeline.Ended)).AddEvent(new ActivityEvent("software", At(timeline.SoftwareBegun)));
        }

        if (result.Error != AcceleratorError.None)
        {
            span.SetTag("warpproxy.fallback_reason", Reasons[(int)result.Error]);
        }

        if (result.HasFailed)
        {
            span.SetStatus(ActivityStatusCode.Error, "Nothing computed it.").SetTag("error.type", result.Error == AcceleratorError.None ? "_OTHER" : Reasons[(int)result.Error]);
        }

        span.SetEndTime(At(timeline.Ended));
        Activity.Current = null;
    }

    private static double Seconds(long begun, long ended) => Stopwatch.GetElapsedTime(begun, ended).TotalSeconds;

    private static object SizeOf(in OperationResult result) =>
        result.ModulusBits % 1024 == 0 && result.ModulusBits / 1024 < Sizes.Length ? Sizes[result.ModulusBits / 1024] : result.ModulusBits;
}
