using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace WarpProxy.Telemetry;

/// <summary>
/// What <c>GET /metrics</c> answers: every metric of this process as it is now, in Prometheus' text format 0.0.4. Any thread; one collection at a time, so
/// that however many ask, no more than one thread is busy with it. Those who ask while one is under way share the next.
/// </summary>
internal sealed class PrometheusPage : IDisposable
{
    /// <summary>The content type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Exporter _exporter = new();
    private readonly SemaphoreSlim _one = new(1);
    private readonly Lock _gate = new();
    private Task<string>? _next;        // the collection that has not begun; under _gate

    /// <summary>Prepares it; a meter provider takes <see cref="Reader"/> over.</summary>
    public PrometheusPage()
    {
        Reader = new BaseExportingMetricReader(_exporter);
    }

    /// <summary>What collects; each metric counts from the start of the process.</summary>
    public BaseExportingMetricReader Reader { get; }

    /// <summary>Called before each collection, so that what instruments keep for one of them is not of the one before. Set once, at the start.</summary>
    public Action? Collecting { get; set; }

    /// <summary>Everything, collected after this was called.</summary>
    public Task<string> WriteAsync()
    {
        lock (_gate)
        {
            // Elsewhere, also because it must not begin before it is noted here.
            return _next ??= Task.Run(CollectAsync);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reader.Dispose();
        _exporter.Dispose();
        _one.Dispose();
    }

    private async Task<string> CollectAsync()
    {
        await _one.WaitAsync();
        try
        {
            lock (_gate)
            {
                _next = null;       // whoever asks from here on wants to know of what happens from here on
            }

            Collecting?.Invoke();
            _exporter.Text = new PrometheusText();
            Reader.Collect();
            return _exporter.Text.ToString();
        }
        finally
        {
            _one.Release();
        }
    }

    private sealed class Exporter : BaseExporter<Metric>
    {
        public PrometheusText Text { get; set; } = new();

        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (Metric metric in batch)
            {
                Text.Add(metric);
            }

            return ExportResult.Success;
        }
    }
}
