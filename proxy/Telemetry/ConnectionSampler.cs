using OpenTelemetry.Trace;

namespace WarpProxy.Telemetry;

/// <summary>
/// Decides once for each connection: a share of the handshakes is recorded, and the requests of those connections with them
/// (<see cref="HandshakeSpan.Link"/>). A request whose sender records it is recorded too (W3C Trace Context, <c>traceparent</c>).
/// </summary>
internal sealed class ConnectionSampler : Sampler
{
    private readonly TraceIdRatioBasedSampler _share;

    /// <summary>Records a share of the connections.</summary>
    /// <param name="share">0 to 1.</param>
    public ConnectionSampler(double share)
    {
        _share = new TraceIdRatioBasedSampler(share);
        Description = _share.Description;
    }

    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
        samplingParameters.ParentContext.TraceId != default
            ? new SamplingResult((samplingParameters.ParentContext.TraceFlags & System.Diagnostics.ActivityTraceFlags.Recorded) != 0)
            : samplingParameters.Name == HandshakeTelemetry.SpanName ? _share.ShouldSample(samplingParameters)
            : new SamplingResult(SamplingDecision.Drop);
}
