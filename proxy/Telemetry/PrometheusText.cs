using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace WarpProxy.Telemetry;

/// <summary>
/// Metrics in Prometheus' text format. Names follow OpenTelemetry's rules for Prometheus: dots become underscores, the unit is the end of the name, and
/// counters end with <c>_total</c>. Source: Prometheus "Exposition formats", OpenTelemetry "Prometheus and OpenMetrics compatibility".
/// </summary>
internal sealed class PrometheusText
{
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);

    /// <summary>Adds one metric with all its points.</summary>
    public void Add(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        string type = TypeOf(metric.MetricType);
        string name = NameOf(metric.Name, metric.Unit, type);
        if (!_families.TryGetValue(name, out Family? family))
        {
            family = new Family(type, string.IsNullOrEmpty(metric.Description) ? metric.Name : metric.Description);
            _families[name] = family;
        }

        // Two meters may have a metric of one name; of another type, Prometheus could not read it.
        if (family.Type == type)
        {
            foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
            {
                Add(family.Lines, name, metric.MetricType, point);
            }
        }
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach ((string name, Family family) in _families)
        {
            text.Append("# HELP ").Append(name).Append(' ').Append(Escape(family.Help, isLabel: false)).Append('\n')
                .Append("# TYPE ").Append(name).Append(' ').Append(family.Type).Append('\n')
                .Append(family.Lines);
        }

        return text.ToString();
    }

    /// <summary>The name of a metric in Prometheus.</summary>
    internal static string NameOf(string name, string? unit, string type)
    {
        var text = new StringBuilder();
        foreach (char letter in name)
        {
            text.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
        }

        string suffix = unit switch
        {
            null or "" => "",
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            "1" when type == "gauge" => "_ratio",
            _ when unit[0] == '{' || unit == "1" => "",
            _ => "_" + string.Concat(unit.Where(char.IsAsciiLetterOrDigit)),
        };
        string result = text.ToString();
        if (!result.EndsWith(suffix, StringComparison.Ordinal))
        {
            result += suffix;
        }

        // "_count" belongs to histograms: promtool refuses it of others.
        return type switch
        {
            "counter" when !result.EndsWith("_total", StringComparison.Ordinal) => (result.EndsWith("_count", StringComparison.Ordinal) ? result[..^6] : result) + "_total",
            "gauge" when result.EndsWith("_count", StringComparison.Ordinal) => result[..^6] + "_current",
            _ => result,
        };
    }

    private static string TypeOf(MetricType type) => type switch
    {
        MetricType.LongSum or MetricType.DoubleSum => "counter",
        MetricType.Histogram => "histogram",
        _ => "gauge",
    };

    private static void Add(StringBuilder lines, string name, MetricType type, in MetricPoint point)
    {
        string labels = LabelsOf(point.Tags);
        switch (type)
        {
            case MetricType.Histogram:
                long count = 0;
                foreach (HistogramBucket bucket in point.GetHistogramBuckets())
                {
                    count += bucket.BucketCount;
                    string bound = double.IsPositiveInfinity(bucket.ExplicitBound) ? "+Inf" : Text(bucket.ExplicitBound);
                    Add(lines, name, "_bucket", $"{labels}{(labels.Length > 0 ? "," : "")}le=\"{bound}\"", count.ToString(CultureInfo.InvariantCulture));
                }

                Add(lines, name, "_sum", labels, Text(point.GetHistogramSum()));
                Add(lines, name, "_count", labels, point.GetHistogramCount().ToString(CultureInfo.InvariantCulture));
                break;
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                Add(lines, name, "", labels, point.GetSumLong().ToString(CultureInfo.InvariantCulture));
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                Add(lines, name, "", labels, Text(point.GetSumDouble()));
                break;
            case MetricType.LongGauge:
                Add(lines, name, "", labels, point.GetGaugeLastValueLong().ToString(CultureInfo.InvariantCulture));
                break;
            case MetricType.DoubleGauge:
                Add(lines, name, "", labels, Text(point.GetGaugeLastValueDouble()));
                break;
        }
    }

    private static void Add(StringBuilder lines, string name, string suffix, string labels, string value)
    {
        lines.Append(name).Append(suffix);
        if (labels.Length > 0)
        {
            lines.Append('{').Append(labels).Append('}');
        }

        lines.Append(' ').Append(value).Append('\n');
    }

    private static string LabelsOf(ReadOnlyTagCollection tags)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            string label = string.Concat(tag.Key.Select(static letter => char.IsAsciiLetterOrDigit(letter) ? letter : '_'));
            labels[char.IsAsciiDigit(label[0]) ? "_" + label : label] = tag.Value switch
            {
                bool flag => flag ? "true" : "false",
                IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
                { } other => other.ToString() ?? "",
                null => "",
            };
        }

        return string.Join(',', labels.Select(static one => $"{one.Key}=\"{Escape(one.Value, isLabel: true)}\""));
    }

    private static string Text(double value) => double.IsNaN(value) ? "NaN"
        : double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escape(string text, bool isLabel)
    {
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return isLabel ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    private sealed class Family(string type, string help)
    {
        public string Type => type;

        public string Help => help;

        public StringBuilder Lines { get; } = new();
    }
}
