using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using WarpProxy.Tests.EndToEnd.Harness;
using WarpProxy.Tests.EndToEnd.Telemetry;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>docker-compose.yml and all that it mounts, as far as that can be said without an engine.</summary>
public sealed class ComposeTests(ITestOutputHelper output)
{
    private const string Package = "docker-compose";

    [DebianPackageTheory(Package, ComposeFile.DockerCompose)]
    [InlineData("")]
    [InlineData("load")]
    [InlineData("hardware")]
    [InlineData("load,hardware")]
    public async Task Old_docker_compose_takes_the_file_with_every_profile(string profiles)
    {
        ToolResult result = await Tool.RunAsync(
            "/usr/bin/env", [$"COMPOSE_PROFILES={profiles}", ComposeFile.DockerCompose, "--file", ComposeFile.Path, "config", "--quiet"], limit: TimeSpan.FromSeconds(60));
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Error));
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Only_load_and_hardware_have_to_be_asked_for()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        Assert.Equal(
            [("loadtest", "load"), ("proxy-hardware", "hardware")],
            file.Services.EnumerateObject().SelectMany(service => ComposeFile.Strings(service.Value, "profiles").Select(profile => (service.Name, profile))).Order());
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Every_image_is_pinned_and_ours_have_our_version()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        string version = XDocument.Load(Executable.RepositoryFile("Directory.Build.props")).Descendants("Version").Single().Value;
        foreach (JsonProperty service in file.Services.EnumerateObject())
        {
            string image = service.Value.GetProperty("image").GetString()!;
            Assert.Matches(@"^[a-z/-]+:v?[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.-]+)?$", image);
            if (service.Value.TryGetProperty("build", out JsonElement build))
            {
                string target = build.GetProperty("target").GetString()!;
                Assert.Contains($" AS {target}\n", await File.ReadAllTextAsync(Executable.RepositoryFile("Dockerfile")), StringComparison.Ordinal);
                Assert.EndsWith($":{version}", image, StringComparison.Ordinal);
            }
        }

        MatchCollection versions = Regex.Matches(await File.ReadAllTextAsync(Executable.RepositoryFile("Dockerfile")), "^ARG VERSION=(.*)$", RegexOptions.Multiline);
        Assert.Equal(3, versions.Count);
        Assert.All(versions, one => Assert.Equal(version, one.Groups[1].Value));
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Every_service_has_limits_and_no_more_rights_than_it_needs()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        foreach (JsonProperty service in file.Services.EnumerateObject())
        {
            output.WriteLine(service.Name);
            Assert.True(service.Value.GetProperty("read_only").GetBoolean());
            Assert.Equal(["ALL"], ComposeFile.Strings(service.Value, "cap_drop"));
            Assert.Equal(["no-new-privileges:true"], ComposeFile.Strings(service.Value, "security_opt"));
            Assert.Equal(service.Name == "secrets" ? ["CHOWN", "DAC_OVERRIDE"] : [], ComposeFile.Strings(service.Value, "cap_add"));
            Assert.Matches("^[0-9]+[mg]$", service.Value.GetProperty("mem_limit").GetString());
            Assert.True(service.Value.GetProperty("pids_limit").GetInt32() > 0);
            Assert.Equal(service.Name == "secrets" ? "no" : "unless-stopped", service.Value.GetProperty("restart").GetString());
            Assert.False(service.Value.TryGetProperty("privileged", out _));
            Assert.False(service.Value.TryGetProperty("ipc", out _));

            // Docker refuses more processors than the machine has, and many have one.
            string processors = service.Value.TryGetProperty("cpus", out JsonElement cpus) ? cpus.ToString() : "0";
            Assert.InRange(double.Parse(Regex.Replace(processors, @"^\$\{\w+:-(.*)\}$", "$1"), CultureInfo.InvariantCulture), 0, 1);
        }
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Connections_that_the_proxy_may_have_fit_into_its_memory()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        long limit = long.Parse(file["proxy"].GetProperty("mem_limit").GetString()!.TrimEnd('m'), CultureInfo.InvariantCulture) << 20;
        int connections = (await ReadSettingsAsync()).GetProperty("Limits").GetProperty("MaxConnections").GetInt32();
        Assert.True(130_000_000 + (connections * 27L * 1024) < limit, $"{connections} connections in {limit} bytes");
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Only_the_proxy_is_reached_from_other_machines_and_the_document_lists_every_port()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        string document = await File.ReadAllTextAsync(Executable.RepositoryFile("docs/docker.md"));
        foreach (JsonProperty service in file.Services.EnumerateObject())
        {
            foreach (string port in ComposeFile.Strings(service.Value, "ports"))
            {
                string[] parts = port.Split(':');
                Assert.Equal(parts[^1] is "8443" ? 2 : 3, parts.Length);
                Assert.Equal(parts[^1] is "8443" ? parts[0] : "127.0.0.1", parts[0]);
                Assert.Matches($@"(?m)^\| `{service.Name}`.*:{parts[^2]}\b", document);
            }

            Assert.Contains($"| `{service.Name}`", document, StringComparison.Ordinal);
        }
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task What_is_mounted_and_waited_for_is_there()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        foreach (JsonProperty service in file.Services.EnumerateObject())
        {
            foreach ((string source, string target) in file.MountsOf(service.Name))
            {
                Assert.StartsWith("/", target, StringComparison.Ordinal);
                Assert.True(
                    source.StartsWith('.') ? Path.Exists(Executable.RepositoryFile(source)) : file.Volumes.TryGetProperty(source, out _), $"{service.Name} mounts {source}, which is not there");
            }

            if (service.Value.TryGetProperty("depends_on", out JsonElement others))
            {
                foreach (JsonProperty other in others.EnumerateObject())
                {
                    string condition = other.Value.GetProperty("condition").GetString()!;
                    Assert.Equal(condition == "service_healthy", file[other.Name].TryGetProperty("healthcheck", out _) && condition != "service_started");
                    Assert.Equal(other.Name == "secrets", condition == "service_completed_successfully");
                }
            }
        }
    }

    /// <summary>The two that share the device share a folder and nothing else.</summary>
    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Emulator_has_no_network_and_shares_the_folder_of_its_socket()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        Assert.Equal("none", file["emulator"].GetProperty("network_mode").GetString());
        Assert.Equal([("device", "/run/warp")], file.MountsOf("emulator").Intersect(file.MountsOf("proxy")));
        JsonElement settings = await ReadSettingsAsync();
        Assert.Equal("emulator:" + ComposeFile.Strings(file["emulator"], "command")[1], settings.GetProperty("Offload").GetProperty("Devices")[0].GetString());
        Assert.StartsWith("/run/warp/", ComposeFile.Strings(file["emulator"], "command")[1], StringComparison.Ordinal);
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Names_of_hosts_in_what_is_mounted_are_services()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        JsonElement settings = await ReadSettingsAsync();
        List<string> urls =
        [
            settings.GetProperty("Telemetry").GetProperty("Endpoint").GetString()!,
            .. settings.GetProperty("ReverseProxy").GetProperty("Clusters").GetProperty("demo").GetProperty("Destinations").EnumerateObject().Select(static one => one.Value.GetProperty("Address").GetString()!),
            "http://" + (await ComposeFile.ReadYamlAsync(Executable.RepositoryFile("charts/otel/collector.yaml"))).GetProperty("exporters").GetProperty("otlp/jaeger").GetProperty("endpoint").GetString(),
        ];
        foreach (string source in Directory.EnumerateFiles(Executable.RepositoryFile("charts/grafana/provisioning/datasources")))
        {
            urls.AddRange((await ComposeFile.ReadYamlAsync(source)).GetProperty("datasources").EnumerateArray().Select(static one => one.GetProperty("url").GetString()!));
        }

        Assert.True(urls.Count >= 6, string.Join(' ', urls));
        Assert.All(urls, url => Assert.True(file.Services.TryGetProperty(new Uri(url).Host, out _), $"{url} is of no service"));

        JsonElement scraped = (await ComposeFile.ReadYamlAsync(Executable.RepositoryFile("charts/prometheus/prometheus.yml"))).GetProperty("scrape_configs")[0].GetProperty("dns_sd_configs")[0];
        Assert.Equal(file["proxy"].GetProperty("networks").GetProperty("telemetry").GetProperty("aliases")[0].GetString(), scraped.GetProperty("names")[0].GetString());
        Assert.EndsWith($":{scraped.GetProperty("port").GetInt32()}", settings.GetProperty("Server").GetProperty("Metrics").GetString(), StringComparison.Ordinal);
    }

    [DebianPackageFact(Package, ComposeFile.DockerCompose)]
    public async Task Grafana_finds_its_dashboards_and_data_sources()
    {
        ComposeFile file = await ComposeFile.ReadAsync();
        (string Source, string Target)[] mounts = [.. file.MountsOf("grafana")];
        JsonElement provider = (await ComposeFile.ReadYamlAsync(Inside("/etc/grafana/provisioning/dashboards/warpproxy.yaml"))).GetProperty("providers")[0];
        string folder = provider.GetProperty("options").GetProperty("path").GetString()!;
        Assert.True(Directory.GetFiles(Inside(folder), "*.json").Length >= 4);
        Assert.True(File.Exists(Inside(file["grafana"].GetProperty("environment").GetProperty("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH").GetString()!)));
        Assert.True(Directory.Exists(Inside("/etc/grafana/provisioning/datasources")));

        string Inside(string path)
        {
            (string source, string target) = mounts.Single(mount => path.StartsWith(mount.Target + "/", StringComparison.Ordinal) || path == mount.Target);
            return Executable.RepositoryFile(source + path[target.Length..]);
        }
    }

    [Theory]
    [InlineData("deploy/docker/proxy.json")]
    [InlineData("deploy/compose/warpproxy/proxy.json")]
    public async Task Settings_are_right(string path)
    {
        await using var scenario = new Scenario(output);
        scenario.Write("admin-token", "0123456789abcdef0123456789abcdef");
        string settings = (await File.ReadAllTextAsync(Executable.RepositoryFile(path)))
            .Replace("/run/warp/", scenario.File("") + "/", StringComparison.Ordinal).Replace("/run/secrets/", scenario.File("") + "/", StringComparison.Ordinal);
        RunningProcess check = scenario.Start(Executable.Proxy, ["check", "--config", scenario.Write("proxy.json", settings)]);
        Assert.Equal(0, await check.WaitForExitAsync(TimeSpan.FromSeconds(60)));
    }

    [DebianPackageFact("prometheus", PrometheusProcess.Promtool)]
    public async Task Prometheus_takes_its_configuration()
    {
        ToolResult result = await Tool.RunAsync(PrometheusProcess.Promtool, ["check", "config", Executable.RepositoryFile("charts/prometheus/prometheus.yml")]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [DebianPackageFact("nginx", "/usr/sbin/nginx")]
    public async Task Nginx_takes_the_configuration_of_the_upstreams()
    {
        await using var scenario = new Scenario(output);
        string settings = await File.ReadAllTextAsync(Executable.RepositoryFile("deploy/compose/upstream.conf"));
        Assert.Contains("\nworker_processes 1;\n", settings, StringComparison.Ordinal);
        string main = scenario.Write("nginx.conf", settings.Replace("/tmp/", scenario.File("") + "/", StringComparison.Ordinal));
        ToolResult result = await Tool.RunAsync("/usr/sbin/nginx", ["-t", "-p", scenario.File(""), "-c", main]);
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public async Task Secrets_are_made_once_and_those_that_are_there_are_kept()
    {
        await using var scenario = new Scenario(output);
        Directory.CreateDirectory(scenario.File("secrets"));
        scenario.Write("secrets/grafana-password", "mine");

        // Whose they become only root can say.
        string script = await File.ReadAllTextAsync(Executable.RepositoryFile("deploy/compose/make-secrets.sh"));
        string own = scenario.Write("make-secrets.sh", Environment.IsPrivilegedProcess ? script : script.Replace("chown \"$2\"", "true", StringComparison.Ordinal));
        Assert.Equal("admin-token was made\n", await RunAsync());
        string token = await File.ReadAllTextAsync(scenario.File("secrets/admin-token"));
        Assert.Matches("^[0-9a-f]{32}$", token);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(scenario.File("secrets/admin-token")));
        Assert.Equal("", await RunAsync());
        Assert.Equal(token, await File.ReadAllTextAsync(scenario.File("secrets/admin-token")));
        Assert.Equal("mine", await File.ReadAllTextAsync(scenario.File("secrets/grafana-password")));

        async Task<string> RunAsync()
        {
            ToolResult result = await Tool.RunAsync("/bin/sh", [own, scenario.File("secrets")]);
            Assert.True(result.ExitCode == 0, result.ToString());
            return result.Output;
        }
    }

    /// <summary>Every project that the images are made of is restored before the sources are copied, so that a change of source fetches no package.</summary>
    [Fact]
    public async Task Dockerfile_names_every_project_of_the_programs()
    {
        string dockerfile = await File.ReadAllTextAsync(Executable.RepositoryFile("Dockerfile"));
        string root = Path.GetFullPath(Executable.RepositoryFile(""));
        HashSet<string> projects = [];
        var left = new Stack<string>([Path.Combine(root, "loadtest/WarpLoadTest.csproj")]);
        while (left.TryPop(out string? project))
        {
            if (projects.Add(Path.GetRelativePath(root, project)))
            {
                foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
                {
                    left.Push(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, reference.Attribute("Include")!.Value)));
                }
            }
        }

        Assert.Contains("emulator/Server/WarpEmulator.csproj", projects);
        Assert.Equal(projects.Order(StringComparer.Ordinal), Regex.Matches(dockerfile, @"^COPY (\S+\.csproj) (\S+)/$", RegexOptions.Multiline).Select(copy => copy.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    private static async Task<JsonElement> ReadSettingsAsync() => JsonElement.Parse(
        await File.ReadAllTextAsync(Executable.RepositoryFile("deploy/compose/warpproxy/proxy.json")),
        new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
}
