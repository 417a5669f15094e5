using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>
/// Proxies that verify clients, one for each path of private-key operations, before one upstream. Each has four listeners: where certificates are
/// required and the root is trusted, where they are optional and the issuing authority is trusted as
/// well, where they are not asked for, and one without TLS.
/// </summary>
public sealed class VerifyingProxies : IAsyncLifetime, IDisposable
{
    public const string Device = "device";
    public const string Software = "software";

    private readonly Scenario _scenario = new();
    private readonly TestCertificate _server = TestCertificate.Rsa(2048);
    private readonly TestAuthority _root = TestAuthority.Root("Clients root");
    private readonly TestAuthority _issuing;
    private readonly TestAuthority _stranger = TestAuthority.Root("Strangers root");
    private readonly Dictionary<string, ProxyProcess> _proxies = [];
    private Upstream _upstream = null!;

    public VerifyingProxies() => _issuing = _root.Intermediate("Clients issuing");

    internal string TrustedFile => _scenario.File("root.pem");

    /// <summary>The one that has issued all good clients.</summary>
    internal TestAuthority Issuing => _issuing;

    public async Task InitializeAsync()
    {
        _upstream = await Upstream.StartAsync();
        string[] certificate = _server.WriteTo(_scenario);
        Write("good", _issuing.Issue("good"));
        Write("rsa", _issuing.Issue("rsa", isRsa: true));
        Write("later", _issuing.Issue("later"));
        Write("expired", _issuing.Issue("expired", to: DateTimeOffset.UtcNow.AddMinutes(-1)));
        Write("server", _issuing.Issue("server", TestAuthority.ForServers));
        using X509Certificate2 revoked = _issuing.Issue("revoked");
        Write("revoked", revoked);
        Write("stranger", _stranger.Issue("stranger"));
        _scenario.Write("root-ca.pem", _root.Pem);
        _scenario.Write("both-ca.pem", _root.Pem + _issuing.Pem);
        foreach (string path in new[] { Device, Software })
        {
            WriteRevocationLists(path, revoked);
            _proxies[path] = await ProxyProcess.StartAsync(_scenario, [.. certificate, "--config", WriteConfig(path), "--path", path]);
            await Eventually.TrueAsync("all listeners are told", () => Urls(path).Length == 4);
        }
    }

    public async Task DisposeAsync()
    {
        await _scenario.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    public void Dispose()
    {
        _server.Dispose();
        _root.Dispose();
        _issuing.Dispose();
        _stranger.Dispose();
    }

    internal ProxyProcess Proxy(string path) => _proxies[path];

    /// <summary>Required, optional, not asked, without TLS.</summary>
    internal Uri[] Urls(string path) =>
    [
        .. _proxies[path].Process.Output.Where(static line => line.Contains("Serving http", StringComparison.Ordinal))
            .Select(static line => new Uri(line[line.IndexOf("http", line.IndexOf("Serving", StringComparison.Ordinal), StringComparison.Ordinal)..])),
    ];

    /// <summary>File of a client's certificate with its issuer and its key.</summary>
    internal string Client(string name) => _scenario.File(name + ".pem");

    internal string File(string name) => _scenario.File(name);

    internal static X509Certificate2 Load(string file) => X509CertificateLoader.LoadCertificateFromFile(file);

    /// <summary>Replaces the revocation lists of one proxy in one step.</summary>
    internal void WriteRevocationLists(string path, params X509Certificate2[] revoked)
    {
        string file = _scenario.Write($"{path}-crl.new", _root.RevocationListPem(null) + _issuing.RevocationListPem(null, revoked));
        System.IO.File.Move(file, CrlFile(path), overwrite: true);
    }

    internal string CrlFile(string path) => _scenario.File($"{path}-crl.pem");

    /// <summary>curl to a listener of a proxy, for what the upstream sees of its request.</summary>
    internal Task<ToolResult> GetHeadersAsync(Uri url, string? client, params string[] arguments) => Tool.RunAsync(
        Tool.Curl,
        [
            "--silent", "--show-error", "--max-time", "100", "--cacert", TrustedFile,
            .. client is null ? [] : new[] { "--cert", Client(client), "--key", Client(client) },
            .. arguments, new Uri(url, "/headers").ToString(),
        ]);

    /// <summary>Refused certificates of clients so far, by reason.</summary>
    internal async Task<Dictionary<string, long>> RefusedAsync(string path)
    {
        using var http = new HttpClient();
        JsonElement status = await http.GetFromJsonAsync<JsonElement>(new Uri(Proxy(path).Admin, "/status"));
        return status.GetProperty("handshakes").GetProperty("refusedClientCertificates").Deserialize<Dictionary<string, long>>()!;
    }

    internal string Transcript() => _scenario.Transcript();

    private void Write(string name, X509Certificate2 certificate)
    {
        using System.Security.Cryptography.AsymmetricAlgorithm key =
            (System.Security.Cryptography.AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        string issuer = name == "stranger" ? _stranger.Pem : _issuing.Pem;
        _scenario.Write(name + ".pem", $"{certificate.ExportCertificatePem()}\n{issuer}{key.ExportPkcs8PrivateKeyPem()}\n");
    }

    private string WriteConfig(string path)
    {
        string root = $"\"CaFile\": \"{_scenario.File("root-ca.pem")}\", \"CrlFile\": \"{CrlFile(path)}\"";
        string both = $"\"CaFile\": \"{_scenario.File("both-ca.pem")}\", \"CrlFile\": \"{CrlFile(path)}\"";
        return _scenario.Write($"{path}.json", $$"""
            {
              "Offload": { "Deadline": "00:00:10" },
              "Files": { "Interval": "00:00:00.1" },
              "Logging": { "LogLevel": { "WarpProxy.Tls.Handshaker": "Debug" } },
              "ClientCertificates": { "Mode": "required", {{root}} },
              "Listeners": {
                "a-optional": { "Url": "https://127.0.0.1:0", "ClientCertificates": { "Mode": "optional", {{both}}, "Header": "X-Client", "SendChain": false } },
                "b-open": { "Url": "https://127.0.0.1:0", "ClientCertificates": { "Mode": "none" } },
                "c-plain": { "Url": "http://127.0.0.1:0" }
              },
              "ReverseProxy": {
                "Routes": { "one": { "ClusterId": "one", "Match": { "Path": "{**all}" } } },
                "Clusters": { "one": { "Destinations": { "here": { "Address": "{{_upstream.Url}}" } } } }
              }
            }
            """);
    }
}
