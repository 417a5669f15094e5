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
        var sampler = new ConnectionSampler(share, trustsParents: false);
        Assert.InRange(Enumerable.Range(0, 1000).Count(_ => IsRecorded(sampler, HandshakeTelemetry.SpanName, default)), least, most);
    }

    [Fact]
    public void Request_is_never_drawn_by_itself_and_follows_a_sender_that_is_trusted()
    {
        var sampler = new ConnectionSampler(1, trustsParents: true);
        Assert.False(IsRecorded(sampler, "Microsoft.AspNetCore.Hosting.HttpRequestIn", default));
        Assert.True(IsRecorded(sampler, "Microsoft.AspNetCore.Hosting.HttpRequestIn", Parent(ActivityTraceFlags.Recorded)));
        Assert.False(IsRecorded(sampler, "Microsoft.AspNetCore.Hosting.HttpRequestIn", Parent(ActivityTraceFlags.None)));
    }

    [Fact]
    public void Request_follows_no_sender_that_is_not_trusted_and_what_it_causes_here_follows_it()
    {
        var sampler = new ConnectionSampler(1, trustsParents: false);
        Assert.False(IsRecorded(sampler, "Microsoft.AspNetCore.Hosting.HttpRequestIn", Parent(ActivityTraceFlags.Recorded)));
        Assert.True(IsRecorded(sampler, "System.Net.Http.HttpRequestOut", Parent(ActivityTraceFlags.Recorded, isRemote: false)));
    }

    private static ActivityContext Parent(ActivityTraceFlags flags, bool isRemote = true) =>
        new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), flags, isRemote: isRemote);

    private static bool IsRecorded(ConnectionSampler sampler, string name, ActivityContext parent) =>
        sampler.ShouldSample(new SamplingParameters(parent, parent.TraceId == default ? ActivityTraceId.CreateRandom() : parent.TraceId, name, ActivityKind.Server))
            .Decision == SamplingDecision.RecordAndSample;
}
