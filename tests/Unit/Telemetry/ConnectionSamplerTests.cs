using System.Diagnostics;
using OpenTelemetry.Trace;
using WarpProxy.Telemetry;

namespace WarpProxy.Tests.Unit.Telemetry;

public sealed class ConnectionSamplerTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 1000, 1000)]
    [InlineData(0.5, 400, 600)]
    public void Handshakes_are_recorded_by_their_share(double share, int least, int most)
    {
        var sampler = new ConnectionSampler(share);
        Assert.InRange(Enumerable.Range(0, 1000).Count(_ => IsRecorded(sampler, HandshakeTelemetry.SpanName, default)), least, most);
    }

    [Fact]
    public void Request_follows_its_sender_and_its_connection_but_is_never_drawn_by_itself()
    {
        var sampler = new ConnectionSampler(1);
        Assert.False(IsRecorded(sampler, "Microsoft.AspNetCore.Hosting.HttpRequestIn", default));
        Assert.True(IsRecorded(sampler, "Microsoft.AspNetCore.Hosting.HttpRequestIn", Parent(ActivityTraceFlags.Recorded)));
        Assert.False(IsRecorded(sampler, "Microsoft.AspNetCore.Hosting.HttpRequestIn", Parent(ActivityTraceFlags.None)));
    }

    private static ActivityContext Parent(ActivityTraceFlags flags) => new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), flags, isRemote: true);

    private static bool IsRecorded(ConnectionSampler sampler, string name, ActivityContext parent) =>
        sampler.ShouldSample(new SamplingParameters(parent, parent.TraceId == default ? ActivityTraceId.CreateRandom() : parent.TraceId, name, ActivityKind.Server))
            .Decision == SamplingDecision.RecordAndSample;
}
