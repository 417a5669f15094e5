using System.Diagnostics;

namespace WarpProxy.Live;

/// <summary>A slow handshake as the page shows it. Times are milliseconds.</summary>
/// <param name="AgoSeconds">Since it ended.</param>
/// <param name="Path"><c>device</c> or <c>software</c>.</param>
/// <param name="Bits">Of the key.</param>
/// <param name="Certificate">What it was shown with.</param>
/// <param name="Fallback">Why software took over from a device; else null.</param>
/// <param name="BatchSize">Operations computed together; 0: the device did not say.</param>
/// <param name="HelloMs">Until the proxy had all that it needed of the client.</param>
/// <param name="ProxyMs">The proxy's own time, which the steps are made of.</param>
/// <param name="ClientMs">Until the client had answered.</param>
/// <param name="Steps">One after the other.</param>
internal sealed record SlowHandshake(
    int AgoSeconds, string Path, int Bits, string? Certificate, string? Fallback, int BatchSize, double HelloMs, double ProxyMs, double ClientMs, IReadOnlyList<SlowStep> Steps)
{
    private const double LeastMs = 0.005;
    private const double LeastChoiceMs = 0.1;

    /// <summary>Makes steps of the times that were reached.</summary>
    public static SlowHandshake Of(in SlowEntry entry, long now)
    {
        HandshakeSteps times = entry.Steps;
        List<SlowStep> steps = [];
        long at = times.LaneAsked;
        void Add(string kind, string name, long until, double leastMs = LeastMs)
        {
            // What took no time that could be seen is no step of its own.
            if (until > at && Milliseconds(at, until) is var length && length > leastMs)
            {
                steps.Add(new SlowStep(kind, name, Milliseconds(times.LaneAsked, at), length));
                at = until;
            }
        }

        Add("wait", "wait for a lane", times.LaneBegun);
        Add("tls", "TLS before the key", times.OperationBegun);
        if (times.Posted != 0)
        {
            Add("wait", "queue wait", times.Posted);
            Add("wait", "batch wait", times.ComputeBegun);
            Add("device", times.BatchSize > 1 ? $"compute, {times.BatchSize} together" : "compute", times.ComputeEnded);
            Add(times.ComputeEnded != 0 ? "wait" : "device", times.ComputeEnded != 0 ? "answer taken" : "device", times.Reaped);
            Add("check", "fault check", times.Checked);
        }

        if (times.SoftwareBegun != 0)
        {
            Add("wait", times.Posted != 0 ? "given up on the device" : "choice of the path", times.SoftwareBegun, times.Posted != 0 ? LeastMs : LeastChoiceMs);
            Add("software", "compute in software", times.OperationEnded);
        }

        Add("tls", "TLS after the key", times.Answered);
        return new SlowHandshake(
            (int)Stopwatch.GetElapsedTime(entry.Ended, now).TotalSeconds,
            entry.Path,
            entry.ModulusBits,
            entry.Certificate,
            entry.Fallback,
            times.BatchSize,
            Milliseconds(entry.Begun, times.LaneAsked),
            Milliseconds(times.LaneAsked, times.Answered),
            Milliseconds(times.Answered, entry.Ended),
            steps);
    }

    private static double Milliseconds(long from, long until) => Math.Round(Stopwatch.GetElapsedTime(from, until).TotalMilliseconds, 3);
}

/// <summary>One step of a slow handshake.</summary>
/// <param name="Kind"><c>wait</c>, <c>tls</c>, <c>device</c>, <c>check</c> or <c>software</c>.</param>
/// <param name="Name">For people.</param>
/// <param name="StartMs">Since the proxy's own time began.</param>
/// <param name="LengthMs">How long.</param>
internal sealed record SlowStep(string Kind, string Name, double StartMs, double LengthMs);
