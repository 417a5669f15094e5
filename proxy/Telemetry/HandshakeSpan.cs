using System.Diagnostics;

namespace WarpProxy.Telemetry;

/// <summary>The span of a connection's handshake, as its requests find it among the connection's features.</summary>
/// <param name="Handshake">Recorded.</param>
internal sealed record HandshakeSpan(ActivityContext Handshake)
{
    /// <summary>Records the request of a recorded connection, and links it to the handshake.</summary>
    public static void Link(HttpContext context)
    {
        if (Activity.Current is { } request && context.Features.Get<HandshakeSpan>() is { } span)
        {
            request.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
            request.IsAllDataRequested = true;
            request.AddLink(new ActivityLink(span.Handshake));
        }
    }
}
