namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>
/// A number that a collector was sent: of a gauge or a sum, histograms are passed over. Source: opentelemetry/proto/metrics/v1/metrics.proto; numbers are
/// those of its fields.
/// </summary>
/// <param name="Metric">Its name.</param>
/// <param name="Attributes">What it is the number of.</param>
/// <param name="Value">The number.</param>
internal sealed record OtlpPoint(string Metric, IReadOnlyDictionary<string, string> Attributes, double Value)
{
    /// <summary>All points of an ExportMetricsServiceRequest.</summary>
    public static IEnumerable<OtlpPoint> ReadRequest(byte[] request) =>
        from resource in OtlpMessage.Messages(request, 1)
        from scope in OtlpMessage.Messages(resource, 2)
        from metric in OtlpMessage.Messages(scope, 2)
        from data in OtlpMessage.Messages(metric, 5).Concat(OtlpMessage.Messages(metric, 7))
        from point in OtlpMessage.Messages(data, 1)
        select Read(Name(metric), point);

    private static string Name(byte[] metric)
    {
        string name = "";
        OtlpMessage.Each(metric, (field, input) =>
        {
            if (field != 1)
            {
                return false;
            }

            name = input.ReadString();
            return true;
        });
        return name;
    }

    private static OtlpPoint Read(string metric, byte[] bytes)
    {
        double value = 0;
        var attributes = new Dictionary<string, string>();
        OtlpMessage.Each(bytes, (field, input) =>
        {
            switch (field)
            {
                case 4:
                    value = input.ReadDouble();
                    return true;
                case 6:
                    value = input.ReadSFixed64();
                    return true;
                case 7:
                    (string key, string text) = OtlpMessage.Attribute(input.ReadBytes().ToByteArray());
                    attributes[key] = text;
                    return true;
                default:
                    return false;
            }
        });
        return new OtlpPoint(metric, attributes, value);
    }
}
