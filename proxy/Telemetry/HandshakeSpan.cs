using System.Diagnostics;

namespace WarpProxy.Telemetry;

/// <summary>The span of a connection's handshake, as its requests find it among the connection's features.</summary>
/// <param name="Handshake">Recorded.</param>
internal sealed record HandshakeSpan(ActivityContext Handshake)
{
    /// <summary>Records the request of a recorded connection, and links it to the handshake. One that is not recorded says so to the spans below it and to the upstream.</summary>
    public static void Link(HttpContext context)
    {
        if (Activity.Current is not { } request)
        {
            return;
        }

        if (context.Features.Get<HandshakeSpan>() is not { } span)
        {
            if (!request.IsAllDataRequested)
            {
                // Its sender may have asked for it, whose word does not count here.
                request.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            }
        }
        else
        {
            request.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
            request.IsAllDataRequested = true;
            request.AddLink(new ActivityLink(span.Handshake));
        }
    }
}
