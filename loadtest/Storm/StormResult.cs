using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Storm;

/// <summary>What was measured.</summary>
/// <param name="Url">The server.</param>
/// <param name="Connections">Of the storm.</param>
/// <param name="Established">Connections over HTTP/2.</param>
/// <param name="Rate">Their requests per second.</param>
/// <param name="Before">Their latency before the storm.</param>
/// <param name="During">And while it lasted.</param>
/// <param name="Ratio">Of the 99th percentiles.</param>
/// <param name="OpeningSeconds">How long the client needed to begin all connections.</param>
/// <param name="Seconds">Until the last was served or refused.</param>
/// <param name="Served">How long it took to be served.</param>
/// <param name="Refused">How long it took to be refused.</param>
/// <param name="Late">How many were neither within the limit.</param>
/// <param name="Errors">Why they were refused.</param>
/// <param name="Lost">Established connections that ended, why.</param>
internal sealed record StormResult(
    string Url,
    int Connections,
    int Established,
    double Rate,
    LatencySummary Before,
    LatencySummary During,
    double Ratio,
    double OpeningSeconds,
    double Seconds,
    LatencySummary Served,
    LatencySummary Refused,
    int Late,
    IReadOnlyDictionary<string, long> Errors,
    IReadOnlyList<string> Lost);
