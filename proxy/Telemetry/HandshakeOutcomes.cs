namespace WarpProxy.Telemetry;

/// <summary>How handshakes end, as traces and metrics have it.</summary>
internal static class HandshakeOutcomes
{
    /// <summary>In an encrypted connection.</summary>
    public const string Completed = "completed";

    /// <summary>The client left.</summary>
    public const string Abandoned = "abandoned";

    /// <summary>One side did not accept what the other had.</summary>
    public const string Failed = "failed";

    /// <summary>It was not begun: too much to do, or a name that is not served.</summary>
    public const string Refused = "refused";

    /// <summary>It was not done in time.</summary>
    public const string Timeout = "timeout";

    /// <summary>What came was no TLS.</summary>
    public const string NotTls = "not_tls";

    /// <summary>The connection is passed through to where its TLS ends.</summary>
    public const string PassedThrough = "passed_through";
}
