using System.Net.Http.Json;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>What <c>GET /status</c> answers, as far as the tests compare it.</summary>
internal sealed record ProxyStatus(
    OperationStatus Operations, DeviceStatus[] Devices, LeakStatus Leaks, ResumptionStatus Resumption, CertificateStatus Certificates,
    HandshakeStatus Handshakes, ConnectionStatus Connections)
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(60) };

    public static async Task<ProxyStatus> ReadAsync(Uri admin) => (await Http.GetFromJsonAsync<ProxyStatus>(new Uri(admin, "/status")))!;
}

internal sealed record OperationStatus(long Device, long Software, Dictionary<string, long> Fallback)
{
    /// <summary>Computed by nothing, by reason.</summary>
    public Dictionary<string, long> Failed { get; init; } = [];

    /// <summary>What came since <paramref name="earlier"/>, in words that a test compares: <c>device 1, software 0</c>.</summary>
    public string Since(OperationStatus earlier)
    {
        string fallback = string.Concat(Fallback
            .Where(reason => reason.Value != earlier.Fallback.GetValueOrDefault(reason.Key))
            .Select(reason => $", {reason.Key} {reason.Value - earlier.Fallback.GetValueOrDefault(reason.Key)}"));
        return $"device {Device - earlier.Device}, software {Software - earlier.Software}{fallback}";
    }
}

internal sealed record DeviceStatus(string Uri, string State, string? Engine, int QueueCount, long Operations, BreakerStatus Breaker);

internal sealed record BreakerStatus(string State, string? Reason, Dictionary<string, long> Openings);

internal sealed record LeakStatus(int SlotsInUse, int OperationsInFlight, int LanesBusy, int QueuesInUse = 0);

internal sealed record ResumptionStatus(long Resumed, long Full, long OldKey, long NextKey, long UnknownKey, long RefusedTicket);

internal sealed record CertificateStatus(int Count, int Refused, int DeviceKeys, CertificateEnd? NextExpiry);

internal sealed record CertificateEnd(string Name, string Subject, DateTimeOffset NotAfter);

internal sealed record HandshakeStatus(long Completed, int Waiting, long ClientHelloTimeout, long Timeout, long RefusedQueueFull, long RefusedWaitTimeout);

internal sealed record ConnectionStatus(int Open, int Handshaking, int AwaitedHellos, int Tls, Dictionary<string, long> Refused, ListenerStatus[] Listeners);

internal sealed record ListenerStatus(string Name, int Open, int? Addresses, long Accepted, long Refused);
