namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A <c>warpproxy</c> that serves, on ports that the system chose.</summary>
internal sealed class ProxyProcess(RunningProcess process, Uri url, Uri admin) : IAsyncDisposable
{
    /// <summary>
    /// The default deadline, for tests of what happens after it, and the path <c>device</c>: the default, <c>auto</c>, sends each operation where it is done
    /// first. And the longest limits of handshakes that are allowed: on a busy machine the last of a crowd may wait longer than the defaults for its turn,
    /// and would then rightly be refused.
    /// </summary>
    public static IReadOnlyDictionary<string, string> DefaultDeadline { get; } = new Dictionary<string, string>
    {
        ["WARPPROXY_Offload__Path"] = "device",
        ["WARPPROXY_Tls__ClientHelloTimeout"] = "00:05:00",
        ["WARPPROXY_Tls__HandshakeTimeout"] = "00:05:00",
        ["WARPPROXY_Tls__LaneTimeout"] = "00:05:00",
    };

    /// <summary>
    /// The same with the longest deadline that is allowed, with which a proxy starts whose environment a test does not name: on a busy machine an
    /// operation may take longer than the default, and would then rightly be counted as software.
    /// </summary>
    public static IReadOnlyDictionary<string, string> LongDeadline { get; } = new Dictionary<string, string>(DefaultDeadline) { ["WARPPROXY_Offload__Deadline"] = "00:00:10" };

    public RunningProcess Process => process;

    public Uri Url => url;

    public Uri Admin => admin;

    /// <summary>For s_client.</summary>
    public string HostAndPort => $"{url.Host}:{url.Port}";

    public static async Task<ProxyProcess> StartAsync(
        Scenario scenario, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? limit = null)
    {
        string[] admin = arguments.Contains("--admin") ? [] : ["--admin", "http://127.0.0.1:0"];
        RunningProcess process = scenario.Start(Executable.Proxy, ["--urls", "https://127.0.0.1:0", .. admin, .. arguments], environment ?? LongDeadline);
        Uri? url = null;
        Uri? adminUrl = null;
        await Eventually.TrueAsync("warpproxy says where it serves", () =>
        {
            url ??= Announced(process, "Serving https://");
            adminUrl ??= Announced(process, "Status at http://");
            return process.HasExited || (url is not null && adminUrl is not null);
        }, limit);
        Assert.False(process.HasExited, "warpproxy ended at start");

        // Lines may come before the port answers; only an answer counts.
        using var http = new HttpClient();
        await Eventually.TrueAsync("GET /readyz answers 200", async () =>
        {
            try
            {
                using HttpResponseMessage response = await http.GetAsync(new Uri(adminUrl!, "/readyz"));
                return response.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        return new ProxyProcess(process, url!, adminUrl!);
    }

    /// <summary>Where it says so far that it serves, in its order.</summary>
    public IReadOnlyList<Uri> ReadUrls() =>
        [.. process.Output.Where(static line => line.Contains("Serving https://", StringComparison.Ordinal)).Select(static line => new Uri(line[line.IndexOf("https://", StringComparison.Ordinal)..]))];

    /// <summary>The same process at another of its listeners.</summary>
    public ProxyProcess At(Uri listener) => new(process, listener, admin);

    public Task<ProxyStatus> StatusAsync() => ProxyStatus.ReadAsync(admin);

    /// <summary>Waits until its only device has all its queues: on a busy machine some are opened after the start, and operations that find none are computed in software.</summary>
    public Task HasQueuesAsync(int count = 16) => Eventually.TrueAsync(
        $"the device is ready with {count} queues", async () => Assert.Single((await StatusAsync()).Devices) is { State: "ready" } device && device.QueueCount == count);

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static Uri? Announced(RunningProcess process, string beginning)
    {
        foreach (string line in process.Output)
        {
            int at = line.IndexOf(beginning, StringComparison.Ordinal);
            if (at >= 0)
            {
                // Every address is no address to connect to.
                return new Uri(line[line.IndexOf("http", at, StringComparison.Ordinal)..].Replace("//0.0.0.0:", "//127.0.0.1:", StringComparison.Ordinal));
            }
        }

        return null;
    }
}
