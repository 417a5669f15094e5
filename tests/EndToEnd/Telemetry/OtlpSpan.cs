using Google.Protobuf;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>A span as a collector gets it. Source: opentelemetry/proto/trace/v1/trace.proto; numbers are those of its fields.</summary>
internal sealed record OtlpSpan
{
    public string TraceId { get; private set; } = "";

    public string SpanId { get; private set; } = "";

    public string ParentId { get; private set; } = "";

    public string Name { get; private set; } = "";

    public ulong Start { get; private set; }

    public ulong End { get; private set; }

    public int Status { get; private set; }

    public Dictionary<string, string> Attributes { get; } = [];

    public List<(string Name, ulong Time)> Events { get; } = [];

    public List<(string TraceId, string SpanId)> Links { get; } = [];

    /// <summary>All spans of an ExportTraceServiceRequest.</summary>
    public static IEnumerable<OtlpSpan> ReadRequest(byte[] request) =>
        from resource in OtlpMessage.Messages(request, 1)
        from scope in OtlpMessage.Messages(resource, 2)
        from span in OtlpMessage.Messages(scope, 2)
        select Read(span);

    private static OtlpSpan Read(byte[] bytes)
    {
        var span = new OtlpSpan();
        OtlpMessage.Each(bytes, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    span.TraceId = Hex(input);
                    return true;
                case 2:
                    span.SpanId = Hex(input);
                    return true;
                case 4:
                    span.ParentId = Hex(input);
                    return true;
                case 5:
                    span.Name = input.ReadString();
                    return true;
                case 7:
                    span.Start = input.ReadFixed64();
                    return true;
                case 8:
                    span.End = input.ReadFixed64();
                    return true;
                case 9:
                    (string key, string value) = OtlpMessage.Attribute(input.ReadBytes().ToByteArray());
                    span.Attributes[key] = value;
                    return true;
                case 11:
                    span.Events.Add(Event(input.ReadBytes().ToByteArray()));
                    return true;
                case 13:
                    span.Links.Add(Link(input.ReadBytes().ToByteArray()));
                    return true;
                case 15:
                    span.Status = (int)OtlpMessage.Number(input.ReadBytes().ToByteArray(), 3);
                    return true;
                default:
                    return false;
            }
        });
        return span;
    }

    private static (string Name, ulong Time) Event(byte[] bytes)
    {
        (string name, ulong time) = ("", 0UL);
        OtlpMessage.Each(bytes, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    time = input.ReadFixed64();
                    return true;
                case 2:
                    name = input.ReadString();
                    return true;
                default:
                    return false;
            }
        });
        return (name, time);
    }

    private static (string TraceId, string SpanId) Link(byte[] bytes)
    {
        (string trace, string span) = ("", "");
        OtlpMessage.Each(bytes, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    trace = Hex(input);
                    return true;
                case 2:
                    span = Hex(input);
                    return true;
                default:
                    return false;
            }
        });
        return (trace, span);
    }

    private static string Hex(CodedInputStream input) => Convert.ToHexStringLower(input.ReadBytes().Span);
}
