using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using WarpProxy.LoadTest.Compare;
using WarpProxy.LoadTest.Peers;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class ServerRecipeTests
{
    private static readonly ServerSite Site = new("/tmp/site", 8443, 9901, 8080);
    private static readonly WarpProxyPrograms Programs = new("/opt/warpproxy", "/opt/warp-emulator", "embedded:");

    [Fact]
    public void Nginx_has_one_worker_and_its_default_of_tickets()
    {
        ServerSetup setup = new NginxRecipe(hasTickets: true).SetUp(Site);
        Assert.Contains("worker_processes 1;", setup.Configuration, StringComparison.Ordinal);
        Assert.Contains("listen 127.0.0.1:8443 ssl;", setup.Configuration, StringComparison.Ordinal);
        Assert.Contains("ssl_protocols TLSv1.2 TLSv1.3;", setup.Configuration, StringComparison.Ordinal);
        Assert.Contains("server 127.0.0.1:8080;", setup.Configuration, StringComparison.Ordinal);
        Assert.DoesNotContain("ssl_session", setup.Configuration, StringComparison.Ordinal);
    }

    [Fact]
    public void Nginx_without_tickets_differs_in_one_line()
    {
        string[] with = new NginxRecipe(hasTickets: true).SetUp(Site).Configuration.Split('\n');
        string[] without = new NginxRecipe(hasTickets: false).SetUp(Site).Configuration.Split('\n');
        Assert.Equal(["        ssl_session_tickets off;"], without.Except(with));
        Assert.Empty(with.Except(without));
    }

    [Fact]
    public void Haproxy_has_one_thread()
    {
        string configuration = new HaproxyRecipe().SetUp(Site).Configuration;
        Assert.Contains("    nbthread 1\n", configuration, StringComparison.Ordinal);
        Assert.Contains("bind 127.0.0.1:8443 ssl crt certificate-and-key.pem ssl-min-ver TLSv1.2", configuration, StringComparison.Ordinal);
        Assert.DoesNotContain("no-tls-tickets", configuration, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("device")]
    [InlineData("software")]
    [InlineData("auto")]
    public void WarpProxy_with_another_path_differs_in_the_path_only(string path)
    {
        ServerSetup setup = new WarpProxyRecipe("name", path, Programs).SetUp(Site);
        using JsonDocument json = JsonDocument.Parse(setup.Configuration);
        Assert.Equal(path, json.RootElement.GetProperty("Offload").GetProperty("Path").GetString());
        Assert.Equal("https://127.0.0.1:8443", json.RootElement.GetProperty("Server").GetProperty("Urls").GetString());
        Assert.Equal(new Uri("http://127.0.0.1:9901/status"), setup.StatusUrl);
        string device = new WarpProxyRecipe("name", "device", Programs).SetUp(Site).Configuration;
        Assert.Equal(device, setup.Configuration.Replace($"\"{path}\"", "\"device\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Emulator_is_started_before_the_proxy_and_only_where_a_device_is_used()
    {
        WarpProxyPrograms emulated = Programs with { Device = "emulator:" };
        ServerSetup device = new WarpProxyRecipe("name", "device", emulated).SetUp(Site);
        Assert.Equal(["/opt/warp-emulator", "/opt/warpproxy"], device.Commands.Select(static command => command.Path));
        Assert.Equal("device.sock", device.Commands[0].ReadySocket);
        Assert.Contains("emulator:/tmp/site/device.sock", device.Configuration, StringComparison.Ordinal);
        Assert.Equal(["/opt/warpproxy"], new WarpProxyRecipe("name", "software", emulated).SetUp(Site).Commands.Select(static command => command.Path));
    }

    [Theory]
    [InlineData("uacce:auto")]
    [InlineData("emulator:/run/warp.sock")]
    public void Device_that_is_there_already_is_given_to_the_proxy_as_it_is(string device)
    {
        ServerSetup setup = new WarpProxyRecipe("name", "device", Programs with { Device = device }).SetUp(Site);
        Assert.Equal(["/opt/warpproxy"], setup.Commands.Select(static command => command.Path));
        Assert.Contains($"\"{device}\"", setup.Configuration, StringComparison.Ordinal);
    }

    [Fact]
    public void Kestrel_routes_as_WarpProxy_does()
    {
        using JsonDocument kestrel = JsonDocument.Parse(new KestrelRecipe().SetUp(Site).Configuration);
        using JsonDocument proxy = JsonDocument.Parse(new WarpProxyRecipe("name", "device", Programs).SetUp(Site).Configuration);
        Assert.Equal(proxy.RootElement.GetProperty("ReverseProxy").GetRawText(), kestrel.RootElement.GetProperty("ReverseProxy").GetRawText());
        JsonElement endpoint = kestrel.RootElement.GetProperty("Kestrel").GetProperty("Endpoints").GetProperty("Https");
        Assert.Equal(["Url", "Certificate"], endpoint.EnumerateObject().Select(static setting => setting.Name));
    }

    [Theory]
    [InlineData(null, "warpproxy was not found beside warp-loadtest nor in the output of its project; build it, or give its path with --proxy.")]
    [InlineData("/nowhere/warpproxy", "--proxy is /nowhere/warpproxy; there is no such file.")]
    public void Proxy_that_is_missing_is_told(string? path, string sentence) =>
        Assert.Equal(sentence, new WarpProxyPrograms(path, null, "embedded:").FindObstacle());

    [Fact]
    public void Programs_are_found_beside_this_one_and_in_the_output_of_their_project()
    {
        DirectoryInfo solution = Directory.CreateTempSubdirectory("warp-programs-");
        try
        {
            DirectoryInfo output = solution.CreateSubdirectory("loadtest/bin/Release/net10.0");
            Assert.Null(Executable.FindOwn("warpproxy", "proxy", output));
            string built = Touch(Path.Combine(solution.CreateSubdirectory("proxy/bin/Release/net10.0").FullName, "warpproxy"));
            Assert.Equal(built, Executable.FindOwn("warpproxy", "proxy", output));
            string beside = Touch(Path.Combine(output.FullName, "warpproxy"));
            Assert.Equal(beside, Executable.FindOwn("warpproxy", "proxy", output));
            Assert.Equal(beside, Executable.FindInstalled("warpproxy", $"/nowhere:{output.FullName}"));
            Assert.Null(Executable.FindInstalled("warpproxy", "/nowhere"));
        }
        finally
        {
            solution.Delete(recursive: true);
        }

        static string Touch(string path)
        {
            File.WriteAllText(path, "");
            return path;
        }
    }

    [Fact]
    public void Identity_is_one_certificate_with_its_key()
    {
        using var folder = new TemporaryFolder();
        ServerIdentity.Create(ServerKey.Rsa(2048)).WriteTo(folder.Path);
        using var separate = X509Certificate2.CreateFromPemFile(
            Path.Combine(folder.Path, ServerIdentity.CertificateFile), Path.Combine(folder.Path, ServerIdentity.KeyFile));
        using var combined = X509Certificate2.CreateFromPemFile(Path.Combine(folder.Path, ServerIdentity.CombinedFile));
        Assert.Equal(2048, separate.GetRSAPrivateKey()!.KeySize);
        Assert.Equal(separate.Thumbprint, combined.Thumbprint);
        Assert.True(combined.HasPrivateKey);
        Assert.True(separate.MatchesHostname("localhost"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Path));
    }

    [Fact]
    public void Ports_are_different() => Assert.Equal(16, FreePort.Take(16).Distinct().Count());
}
