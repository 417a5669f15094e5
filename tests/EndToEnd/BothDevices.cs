using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>An emulator, and for each kind of device a proxy with RSA-2048 that also offers RSA key exchange.</summary>
public sealed class BothDevices : IAsyncLifetime, IDisposable
{
    public const string Embedded = "embedded";
    public const string Emulator = "emulator";

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
              "Tls": {
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
    }

    public async Task DisposeAsync() => await _scenario.DisposeAsync();

    public void Dispose() => _certificate.Dispose();

    internal ProxyProcess Proxy(string device) => _proxies[device];

    internal string Transcript() => _scenario.Transcript();
}
