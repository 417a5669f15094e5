using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>A proxy with RSA-2048, which also offers RSA key exchange, for each way of its private-key operations: either kind of device, and software.</summary>
public sealed class EveryPath : IAsyncLifetime, IDisposable
{
    public const string Embedded = "embedded";
    public const string Emulator = "emulator";
    public const string Software = "software";

    private readonly Scenario _scenario = new();
    private readonly TestCertificate _certificate = TestCertificate.Rsa(2048);
    private readonly Dictionary<string, ProxyProcess> _proxies = [];

    internal string TrustedFile => _scenario.File("root.pem");

    public async Task InitializeAsync()
    {
        string[] certificate = _certificate.WriteTo(_scenario);
        string config = _scenario.Write("proxy.json", """
            {
              "Offload": { "Deadline": "00:00:10" },
              "Protocol": {
                "Profile": "old",
                "MinVersion": "1.2",
                "CipherSuites": [
                  "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"
                ]
              }
            }
            """);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, _scenario.File("device.sock"));
        string[] arguments = [.. certificate, "--config", config];
        _proxies[Embedded] = await ProxyProcess.StartAsync(_scenario, [.. arguments, "--device", "embedded:"]);
        _proxies[Emulator] = await ProxyProcess.StartAsync(_scenario, [.. arguments, "--device", emulator.DeviceUri]);
        await _proxies[Embedded].HasQueuesAsync();
        await _proxies[Emulator].HasQueuesAsync();
        _proxies[Software] = await ProxyProcess.StartAsync(_scenario, [.. arguments, "--path", "software"]);
    }

    public async Task DisposeAsync() => await _scenario.DisposeAsync();

    public void Dispose() => _certificate.Dispose();

    internal ProxyProcess Proxy(string path) => _proxies[path];

    /// <summary>What the counters say of so many operations on this path.</summary>
    internal static string Operations(string path, int count) => path == Software ? $"device 0, software {count}" : $"device {count}, software 0";

    /// <summary>Of the certificate: SubjectPublicKeyInfo, DER.</summary>
    internal byte[] PublicKeyInfo() => _certificate.Certificate.PublicKey.ExportSubjectPublicKeyInfo();

    /// <summary>A directory for a client, which goes with the test.</summary>
    internal string Directory(string name) => System.IO.Directory.CreateDirectory(_scenario.File(name)).FullName;

    internal string Transcript() => _scenario.Transcript();
}
