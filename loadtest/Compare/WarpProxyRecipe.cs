using WarpProxy.LoadTest.Peers;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Compare;

/// <summary>WarpProxy with one path of private-key operations.</summary>
/// <param name="name">What its rows are called.</param>
/// <param name="path"><c>device</c>, <c>software</c> or <c>auto</c>.</param>
/// <param name="programs">The programs it needs.</param>
/// <param name="telemetry">Writes the section <c>Telemetry</c>, given the port of the origin, which takes every POST; null: none is configured.</param>
internal sealed class WarpProxyRecipe(string name, string path, WarpProxyPrograms programs, Func<int, string>? telemetry = null) : IServerRecipe
{
    private const string ConfigurationFile = "warpproxy.json";
    private const string Socket = "device.sock";

    public string Name => name;

    // A proxy may be older than the path auto; the two others it always has.
    public bool IsRequired => path != "auto";

    public string? FindObstacle() => programs.FindObstacle();

    public string ReadVersion() => $"warpproxy {ToolVersion.Read(programs.Proxy!, "--version")}";

    public ServerSetup SetUp(ServerSite site) => new(
        ConfigurationFile,
        $$"""
        {
          "Server": { "Urls": "https://127.0.0.1:{{site.Port}}", "Admin": "http://127.0.0.1:{{site.StatusPort}}" },
          "Certificate": { "File": "{{ServerIdentity.CertificateFile}}", "KeyFile": "{{ServerIdentity.KeyFile}}" },
          "Offload": { "Path": "{{path}}", "Devices": ["{{Device(site)}}"] },
          "Telemetry": {{telemetry?.Invoke(site.OriginPort) ?? "{}"}},
          "ReverseProxy": {{YarpSection.Write(site.OriginPort)}}
        }

        """,
        [.. Emulator, new ServerCommand(programs.Proxy!, ["--config", ConfigurationFile])],
        new Uri($"http://127.0.0.1:{site.StatusPort}/status"));

    // The proxy takes absolute paths of sockets only.
    private string Device(ServerSite site) => programs.IsEmulated ? $"emulator:{Path.Combine(site.Folder, Socket)}" : programs.Device;

    // With the path software nobody opens a device.
    private ServerCommand[] Emulator =>
        programs.IsEmulated && path != "software" ? [new ServerCommand(programs.Emulator!, ["--socket", Socket]) { ReadySocket = Socket }] : [];
}
