namespace WarpProxy.Telemetry;

/// <summary>Who computed the private-key operation of a handshake, as traces and metrics have it.</summary>
internal static class HandshakePath
{
    /// <summary>A device.</summary>
    public const string Device = "device";

    /// <summary>Software, by choice or as the fallback.</summary>
    public const string Software = "software";

    /// <summary>Nobody: a resumed session, a key that no device computes with, or a handshake that did not come so far.</summary>
    public const string None = "none";
}
