using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace WarpProxy.Telemetry;

/// <summary>
/// What <c>GET /metrics</c> answers: every metric of this process as it is now, in Prometheus' text format 0.0.4. Any thread; one collection at a time.
/// </summary>
internal sealed class PrometheusPage : IDisposable
{
    /// <summary>The content type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Exporter _exporter = new();
    private readonly Lock _gate = new();

    /// <summary>Prepares it; a meter provider takes <see cref="Reader"/> over.</summary>
    public PrometheusPage()
    {
        Reader = new BaseExportingMetricReader(_exporter);
    }

    /// <summary>What collects; each metric counts from the start of the process.</summary>
    public BaseExportingMetricReader Reader { get; }

    /// <summary>Collects and writes everything.</summary>
    public string Write()
    {
        lock (_gate)
        {
            _exporter.Text = new PrometheusText();
            Reader.Collect();
            return _exporter.Text.ToString();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reader.Dispose();
        _exporter.Dispose();
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
