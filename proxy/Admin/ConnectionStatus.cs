using System.Text.Json;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Admission;

namespace WarpProxy.Admin;

/// <summary>
/// Connections of clients: <c>Refused</c> since the start, keyed by reason in snake_case, and the rest of now. <c>Tls</c> counts the objects of OpenSSL
/// that stand for a connection; <c>AwaitedHellos</c> those of the handshakes whose ClientHello has not come.
/// </summary>
internal sealed record ConnectionStatus(
    int Open,
    int MaxConnections,
    int Handshaking,
    int AwaitedHellos,
    int MaxHandshakes,
    int Tls,
    IReadOnlyDictionary<string, long> Refused,
    IReadOnlyList<ListenerConnectionStatus> Listeners)
{
    /// <summary>The key of <c>Refused</c> that counts no connections, but pauses.</summary>
    public const string OpenFiles = "open_files";

    /// <summary>Reads the counters.</summary>
    public static ConnectionStatus Read(ConnectionAdmission admission) => new(
        admission.Open.Value,
        admission.Open.Limit,
        admission.Handshakes.Value,
        admission.Hellos.Count,
        admission.Handshakes.Limit,
        TlsServerConnection.LiveCount,
        Enum.GetValues<RefusalReason>().ToDictionary(
            static reason => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()),
            admission.Refusals.Count),
        [.. admission.Listeners.Select(static listener => new ListenerConnectionStatus(
            listener.Name,
            listener.OpenCount,
            listener.MaxConnections,
            listener.Addresses?.AddressCount,
            listener.AcceptedCount,
            Enum.GetValues<RefusalReason>().Where(static reason => reason is not RefusalReason.OpenFiles).Sum(listener.Refusals.Count)))]);
}

/// <summary>Connections to one listener: open now, and since the start. <c>Addresses</c> are those that have a connection, where they are counted.</summary>
internal sealed record ListenerConnectionStatus(string Name, int Open, int? MaxConnections, int? Addresses, long Accepted, long Refused);
