using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warpproxy check</c> and <c>warpproxy schema</c>, as processes.</summary>
public sealed class CheckTests(ITestOutputHelper output) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly Scenario _scenario = new(output);

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [Fact]
    public async Task Configuration_that_is_right_is_counted()
    {
        WriteCertificate("shop", TestCertificate.Rsa(2048));
        string file = Write($$"""
            {
              "$schema": "warpproxy.schema.json",
              "Listeners": { "public": { "Url": "https://*:443", "Certificates": [ "shop" ] }, "plain": { "Url": "http://*:80" } },
              "Certificates": { "shop": { "File": "{{_scenario.File("shop.pem")}}", "KeyFile": "{{_scenario.File("shop.key")}}" } },
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "web", "Match": { "Path": "{**all}" } } },
                "Clusters": { "web": { "Destinations": { "one": { "Address": "http://127.0.0.1:5000/" } } } }
              }
            }
            """);
        Assert.Equal([$"{file} is right: 2 listeners, 1 certificate, 1 route"], (await CheckAsync(0, ["--config", file])).Output);
    }

    [Fact]
    public async Task Nothing_is_written_and_no_port_is_needed()
    {
        RunningProcess check = await CheckAsync(0, ["--urls", "https://127.0.0.1:1", "--admin", "http://127.0.0.1:2", "--device", $"emulator:{_scenario.File("absent.sock")}"]);
        Assert.Equal(["The configuration is right: 1 listener, 0 certificates, 0 routes"], check.Output);
        Assert.False(Directory.Exists(_scenario.File("data")), "a development certificate was made");
    }

    [Fact]
    public async Task Every_mistake_is_told_at_once_files_included()
    {
        WriteCertificate("one", TestCertificate.Rsa(2048));
        WriteCertificate("two", TestCertificate.Ecdsa());
        string file = Write($$"""
            {
              "Offload": { "Depth": 300, "Devices": [ "embedded:" ] },
              "Listeners": { "public": { "Url": "https://*:443", "Certificates": [ "missing", "swapped", "one" ] } },
              "Certificates": {
                "missing": { "File": "{{_scenario.File("missing.pem")}}" },
                "swapped": { "File": "{{_scenario.File("one.pem")}}", "KeyFile": "{{_scenario.File("two.key")}}" },
                "one": { "File": "{{_scenario.File("one.pem")}}", "KeyFile": "{{_scenario.File("one.key")}}" }
              },
              "Logging": { "LogLevel": { "Default": "Loud" } }
            }
            """);
        string[] expected =
        [
            "WARPPROXY_Tls__Lanes: Tls:Lanes is 0; it must be between 1 and 256.",
            $"{file}:2: Offload:Depth is 300; it must be a power of two between 2 and 1024.",
            $"{file}:5: Certificate file '{_scenario.File("missing.pem")}' does not exist.",
            $"{file}:6: The key in '{_scenario.File("two.key")}' does not belong to the certificate in '{_scenario.File("one.pem")}'.",
            $"{file}:9: Logging:LogLevel:Default is 'Loud'; it must be Trace, Debug, Information, Warning, Error, Critical or None.",
        ];
        var environment = new Dictionary<string, string> { ["WARPPROXY_Tls__Lanes"] = "0" };
        RunningProcess check = await CheckAsync(2, ["--config", file], environment);
        Assert.Equal(expected, check.Errors);
        Assert.Empty(check.Output);

        // The start says the same.
        RunningProcess start = _scenario.Start(Executable.Proxy, ["--config", file], environment);
        Assert.Equal(2, await start.WaitForExitAsync(Limit));
        Assert.Equal(expected, start.Errors);
        Assert.Empty(start.Output);
    }

    [Fact]
    public async Task Files_of_all_features_are_told_with_the_line_that_names_them()
    {
        string file = Write("""
            {
              "Tickets": { "Keys": [ "/absent/key" ] },
              "Certificate": {
                "File": "/absent/certificate" },
              "Listeners": {
                "a": { "Url": "https://*:1" },
                "b": { "Url": "https://*:2" },
                "c": { "Url": "https://*:3",
                       "Tickets": { "Directory": "/absent/keys" } } }
            }
            """);
        Assert.Equal(
            [
                $"{file}:2: Ticket key file '/absent/key' does not exist.",
                $"{file}:4: Certificate file '/absent/certificate' does not exist.",
                $"{file}:9: Ticket key directory '/absent/keys' does not exist.",
            ],
            (await CheckAsync(2, ["--config", file])).Errors);
    }

    [Fact]
    public async Task Start_tells_all_files_that_cannot_be_used()
    {
        string file = Write("""{ "Certificates": { "a": { "File": "/absent/a.pem" }, "b": { "File": "/absent/b.pem" } } }""");
        RunningProcess start = _scenario.Start(Executable.Proxy, ["--config", file, "--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0"]);
        Assert.Equal(2, await start.WaitForExitAsync(Limit));
        Assert.Equal([$"{file}:1: Certificate file '/absent/a.pem' does not exist.", $"{file}:1: Certificate file '/absent/b.pem' does not exist."], start.Errors);
    }

    [Fact]
    public async Task Devices_that_can_be_none_are_told_without_opening_them()
    {
        string socket = _scenario.Write("device.sock", "no socket");
        RunningProcess check = await CheckAsync(2, ["--device", $"emulator:{socket}", "--device", "emulator:/absent/device.sock"]);
        Assert.Equal(
            [$"The device is 'emulator:{socket}', but '{socket}' is no socket.", "The device is 'emulator:/absent/device.sock', but the directory '/absent' does not exist."],
            check.Errors);
    }

    [Fact]
    public async Task Syntax_error_is_told_with_its_line() =>
        Assert.Matches(
            "^Configuration file '.*' is not JSON, line 2, byte [0-9]+: .*\\.$",
            Assert.Single((await CheckAsync(2, ["--config", Write("{ \"Tls\": {\n \"Lanes\" 3 } }")])).Errors));

    [Fact]
    public async Task Configuration_may_come_through_a_pipe()
    {
        ToolResult result = await Tool.RunAsync("/bin/sh", ["-c", $"printf '{{ \"Tls\": {{ \"Lanes\": 0 }} }}' | {Executable.Proxy} check --config /dev/stdin"]);
        Assert.Equal((2, "/dev/stdin:1: Tls:Lanes is 0; it must be between 1 and 256.\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task Help_tells_the_verbs()
    {
        RunningProcess help = _scenario.Start(Executable.Proxy, ["--help"]);
        Assert.Equal(0, await help.WaitForExitAsync(Limit));
        Assert.Contains(help.Output, line => Regex.IsMatch(line, "^ +check +Tell everything that is wrong"));
        Assert.Contains(help.Output, line => Regex.IsMatch(line, "^ +schema +Write the JSON schema"));
    }

    [Fact]
    public async Task Schema_beside_the_program_is_the_one_that_it_writes()
    {
        RunningProcess schema = _scenario.Start(Executable.Proxy, ["schema"]);
        Assert.Equal(0, await schema.WaitForExitAsync(Limit));
        Assert.Equal(await File.ReadAllLinesAsync(Path.Combine(Path.GetDirectoryName(Executable.Proxy)!, "warpproxy.schema.json")), schema.Output);
    }

    [DebianPackageFact("python3-jsonschema", "/usr/lib/python3/dist-packages/jsonschema")]
    public async Task Schema_takes_what_is_right_and_refuses_what_is_not()
    {
        string example = Regex.Matches(await File.ReadAllTextAsync(Executable.RepositoryFile("docs/configuration.md")), @"^```json\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)
            .Last().Groups[1].Value;
        Assert.Equal("", await FindSchemaProblemsAsync(example));
        Assert.Equal("", await FindSchemaProblemsAsync("""{ "Offload": { "Path": "software", "Deadline": "00:00:01" }, "Tls": { "Lanes": 3 } }"""));
        foreach ((string right, string wrong) in new[]
        {
            ("\"UnknownNames\": \"refuse\"", "\"UnknownNames\": \"refused\""), ("\"Deadline\": \"00:00:00.1\"", "\"Deadline\": \"soon\""), ("\"Offload\"", "\"Offlod\""),
            ("\"Hosts\": [ \"shop.example\" ]", "\"Hosts\": \"shop.example\""), ("\"Destinations\"", "\"Destination\""), ("\"Information\"", "\"Loud\""), ("\"KeyFile\"", "\"KeyFiel\""),
        })
        {
            Assert.Contains(right, example, StringComparison.Ordinal);
            Assert.NotEqual("", await FindSchemaProblemsAsync(example.Replace(right, wrong, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task File_in_the_working_directory_is_not_read_but_told()
    {
        string directory = Path.GetDirectoryName(_scenario.Write("appsettings.json", """{ "Tls": { "Lanes": 0 } }"""))!;
        RunningProcess proxy = _scenario.Start(
            "/usr/bin/env", ["--chdir", directory, Executable.Proxy, "--path", "software", "--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0"]);
        await Eventually.TrueAsync("warpproxy says where it serves", () => proxy.HasExited || proxy.Output.Any(line => line.Contains("Serving https://", StringComparison.Ordinal)));
        Assert.Contains(proxy.Output, line => line.EndsWith("appsettings.json in the working directory is not read: start with --config appsettings.json if it is meant", StringComparison.Ordinal));
        proxy.Send(Signal.Terminate);
        Assert.Equal(0, await proxy.WaitForExitAsync(Limit));
    }

    /// <summary>What Python's implementation of JSON schema says; nothing when the document is right.</summary>
    private static async Task<string> FindSchemaProblemsAsync(string json)
    {
        const string Script = """
            import json, sys, jsonschema
            schema = json.load(open(sys.argv[1]))
            jsonschema.Draft7Validator.check_schema(schema)
            for error in jsonschema.Draft7Validator(schema).iter_errors(json.load(sys.stdin)):
                print(error.message)
            """;
        ToolResult result = await Tool.RunAsync(Tool.Python, ["-c", Script, Executable.RepositoryFile("proxy/warpproxy.schema.json")], json);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    private string Write(string json) => _scenario.Write("proxy.json", json);

    private void WriteCertificate(string name, TestCertificate certificate)
    {
        using (certificate)
        {
            _scenario.Write($"{name}.pem", certificate.ChainPem);
            _scenario.Write($"{name}.key", certificate.KeyPem);
        }
    }

    private async Task<RunningProcess> CheckAsync(int exitCode, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        RunningProcess check = _scenario.Start(Executable.Proxy, ["check", .. arguments], environment);
        Assert.Equal(exitCode, await check.WaitForExitAsync(Limit));
        return check;
    }
}
