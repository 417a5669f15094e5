using System.Diagnostics.CodeAnalysis;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>
/// Proxies that have a listener for each profile of section <c>Protocol</c>, and one with suites of its own; RSA and ECDSA for the same name. One's
/// private-key operations go to a device, the other's are done in software.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "IAsyncLifetime disposes them.")]
public sealed class EveryProfile : IAsyncLifetime
{
    public const string Device = "device";
    public const string Software = "software";
    public const string Modern = "modern";
    public const string Intermediate = "intermediate";
    public const string Old = "old";

    /// <summary>The listener whose suites all have DHE, of TLS 1.2.</summary>
    public const string FiniteField = "dhe";

    // As the proxy tells them: Server:Urls, then section Listeners by name.
    private static readonly string[] Listeners = [Intermediate, FiniteField, Modern, Old];

    private readonly Scenario _scenario = new();
    private readonly Dictionary<string, ProxyProcess> _proxies = [];

    internal string TrustedFile => _scenario.File("root.pem");

    public async Task InitializeAsync()
    {
        string config = _scenario.Write("proxy.json", $$"""
            {
              "Offload": { "Deadline": "00:00:10" },
              "Certificates": {{SiteCertificates.WriteTo(_scenario)}},
              "Listeners": {
                "dhe": {
                  "Url": "https://127.0.0.1:0",
                  "Protocol": {
                    "MaxVersion": "1.2",
                    "CipherSuites": [ "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256" ],
                    "Groups": [ "secp256r1" ]
                  }
                },
                "modern": { "Url": "https://127.0.0.1:0", "Protocol": { "Profile": "modern" } },
                "old": { "Url": "https://127.0.0.1:0", "Protocol": { "Profile": "old" } }
              }
            }
            """);
        foreach (string path in (string[])[Device, Software])
        {
            ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, ["--config", config, "--path", path]);
            if (path == Device)
            {
                await proxy.HasQueuesAsync();
            }

            IReadOnlyList<Uri> urls = [];
            await Eventually.TrueAsync("warpproxy says where all listeners are", () => (urls = proxy.ReadUrls()).Count == Listeners.Length);
            foreach ((int index, string listener) in Listeners.Index())
            {
                _proxies[path + listener] = proxy.At(urls[index]);
            }
        }
    }

    public async Task DisposeAsync() => await _scenario.DisposeAsync();

    internal ProxyProcess Proxy(string path, string listener) => _proxies[path + listener];

    /// <summary>What the counters say of so many operations on this path.</summary>
    internal static string Operations(string path, int count) => path == Software ? $"device 0, software {count}" : $"device {count}, software 0";

    /// <summary>Path of a file in the directory of these tests.</summary>
    internal string File(string name) => _scenario.File(name);

    internal string Transcript() => _scenario.Transcript();
}
