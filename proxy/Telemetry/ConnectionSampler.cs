using OpenTelemetry.Trace;

namespace WarpProxy.Telemetry;

/// <summary>
/// Decides once for each connection: a share of the handshakes is recorded, and the requests of those connections with them
/// (<see cref="HandshakeSpan.Link"/>). A request whose sender records it (W3C Trace Context, <c>traceparent</c>) is recorded too where senders are
/// trusted: anybody can ask for it.
/// </summary>
internal sealed class ConnectionSampler : Sampler
{
    private readonly TraceIdRatioBasedSampler _share;
    private readonly bool _trustsParents;

    /// <summary>Records a share of the connections.</summary>
    /// <param name="share">0 to 1.</param>
    /// <param name="trustsParents">Whether a sender's word counts.</param>
    public ConnectionSampler(double share, bool trustsParents)
    {
        _trustsParents = trustsParents;
        _share = new TraceIdRatioBasedSampler(share);
        Description = _share.Description;
    }

    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
        samplingParameters.ParentContext is { TraceId: var trace, IsRemote: var isRemote } && trace != default
            ? new SamplingResult((_trustsParents || !isRemote) && (samplingParameters.ParentContext.TraceFlags & System.Diagnostics.ActivityTraceFlags.Recorded) != 0)
            : samplingParameters.Name == HandshakeTelemetry.SpanName ? _share.ShouldSample(samplingParameters)
            : new SamplingResult(SamplingDecision.Drop);
}
