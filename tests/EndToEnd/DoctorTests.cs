using System.Net;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warpproxy doctor</c>, as a process, on machines that are well and on some that are not.</summary>
public sealed class DoctorTests(ITestOutputHelper output) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly string[] NoDevice = ["--device", "none"];

    private readonly Scenario _scenario = new(output);

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [Fact]
    public async Task Machine_without_any_configuration_is_well()
    {
        DoctorReport report = await DoctorReport.RunAnsweredAsync(_scenario, []);
        Assert.Equal(0, report.ExitCode);
        Assert.Equal("ok", report.Only("configuration").Level);
        Assert.Equal("ok", report.Only("provider").Level);
        Assert.Matches("^3\\.", report.Only("openssl").Values.GetProperty("version").GetString());
        Assert.True(report.Only("memlock").Values.GetProperty("neededBytes").GetInt64() > 1_000_000);
        Assert.True(report.Only("nofile").Values.GetProperty("limit").GetInt64() > 0);
        Assert.Equal([2048, 3072, 4096], report.All("engine").Select(static one => one.Values.GetProperty("bits").GetInt32()));
        DoctorFinding device = report.Only("device");
        Assert.Equal(("embedded:", "ok", 16), (device.Subject, device.Level, device.Values.GetProperty("queues").GetInt32()));
        AssertKnownAnswers(report, "embedded:");
        Assert.False(Directory.Exists(_scenario.File("data")), "a development certificate was made");
    }

    [Fact]
    public async Task Report_for_people_has_a_line_for_each_finding_and_no_colours_in_a_pipe()
    {
        RunningProcess doctor = _scenario.Start(
            Executable.Proxy, ["doctor", "--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0", .. NoDevice], new Dictionary<string, string> { ["TERM"] = "xterm-256color" });
        Assert.Equal(0, await doctor.WaitForExitAsync(Limit));
        Assert.Empty(doctor.Errors);
        Assert.All(doctor.Output[..^1], static line => Assert.Matches("^(ok      |warning |failed  ) [a-z-]+ +[^ ].*\\.$", line));
        Assert.Matches("^[0-9]+ ok, [0-9]+ to look at \\(warning\\), 0 failed$", doctor.Output[^1]);
        Assert.DoesNotContain(doctor.Output, static line => line.Contains('\u001b', StringComparison.Ordinal));
    }

    [DebianPackageFact("bsdutils", "/usr/bin/script")]
    public async Task Terminal_gets_colours_unless_it_wants_none()
    {
        Assert.Contains("\u001b[32mok", await RunInTerminalAsync(""), StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[3", await RunInTerminalAsync("NO_COLOR=1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Running_emulator_is_asked_and_goes_on_serving()
    {
        await using EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, _scenario.File("warp.sock"), "--engines", "1");
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, ["--device", emulator.DeviceUri]);
        DoctorReport report = await DoctorReport.RunAnsweredAsync(_scenario, ["--device", emulator.DeviceUri]);
        Assert.Equal(0, report.ExitCode);
        DoctorFinding device = report.Only("device");
        Assert.Equal((emulator.DeviceUri, "ok", 16, 1), (
            device.Subject, device.Level, device.Values.GetProperty("queues").GetInt32(), device.Values.GetProperty("engines").GetInt32()));
        AssertKnownAnswers(report, emulator.DeviceUri);

        // Its own engine computes, not one of this process.
        Assert.Empty(report.All("engine"));
        await Eventually.TrueAsync("the proxy has its device", async () => Assert.Single((await proxy.StatusAsync()).Devices).State == "ready");
    }

    [Fact]
    public async Task Emulator_with_too_few_queues_is_a_warning()
    {
        await using EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, _scenario.File("warp.sock"), "--queues", "5");
        DoctorReport report = await DoctorReport.RunAnsweredAsync(_scenario, ["--device", emulator.DeviceUri]);
        Assert.Equal(0, report.ExitCode);
        DoctorFinding device = report.Only("device");
        Assert.Equal(("warning", 5, 16), (device.Level, device.Values.GetProperty("queues").GetInt32(), device.Values.GetProperty("queuesWanted").GetInt32()));
        Assert.Contains("Offload:QueuesPerDevice", device.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopped_emulator_does_not_answer_and_all_else_is_examined()
    {
        await using EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, _scenario.File("warp.sock"));
        emulator.Process.Send(Signal.Stop);
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--device", emulator.DeviceUri]);
        Assert.Equal(1, report.ExitCode);
        DoctorFinding device = report.Only("device");
        Assert.Equal((emulator.DeviceUri, "failed", "no answer within 2 s"), (device.Subject, device.Level, device.Seen));
        Assert.Contains("stopped", device.Advice, StringComparison.Ordinal);
        Assert.Empty(report.All("known-answer"));
        Assert.Equal("ok", report.Only("listener").Level);
    }

    [Fact]
    public async Task Absent_devices_are_told_with_what_to_start()
    {
        string left = _scenario.File("left.sock");
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, left);
        await emulator.KillAsync();
        string noSocket = _scenario.Write("file", "");
        DoctorReport report = await DoctorReport.RunAsync(_scenario, [
            "--device", $"emulator:{left}", "--device", $"emulator:{_scenario.File("absent.sock")}", "--device", $"emulator:{noSocket}",
        ]);
        Assert.Equal(1, report.ExitCode);
        DoctorFinding[] devices = [.. report.All("device")];
        Assert.Equal(["failed", "failed", "failed"], devices.Select(static one => one.Level));
        Assert.Contains($"warp-emulator --socket {left}", devices[0].Advice, StringComparison.Ordinal);
        Assert.Equal("there is no such socket", devices[1].Seen);
        Assert.Equal($"The device is 'emulator:{noSocket}', but '{noSocket}' is no socket", devices[2].Seen);

        // A start would be refused for the third alone; that is said once.
        Assert.Empty(report.All("configuration"));
    }

    [Fact]
    public async Task Accelerators_of_the_kernel_are_looked_for_where_the_configuration_says()
    {
        string device = _scenario.File("sys/class/uacce/hisi_hpre-0");
        Directory.CreateDirectory(device);
        foreach ((string attribute, string value) in new[]
        {
            ("api", "hisi_qm_v2"), ("flags", "1"), ("algorithms", "rsa\ndh"), ("available_instances", "0"), ("region_mmio_size", "8192"), ("region_dus_size", "86016"), ("isolate", "1"),
        })
        {
            await File.WriteAllTextAsync(Path.Combine(device, attribute), value + "\n");
        }

        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--device", "uacce:hisi_hpre-0"], new Dictionary<string, string>
        {
            ["WARPPROXY_Offload__SysDirectory"] = _scenario.File("sys"), ["WARPPROXY_Offload__DevDirectory"] = _scenario.File("dev"),
        });
        Assert.Equal(1, report.ExitCode);
        DoctorFinding listed = report.Only("uacce");
        Assert.Equal(("hisi_hpre-0", "warning"), (listed.Subject, listed.Level));
        Assert.Contains("is isolated", listed.Seen, StringComparison.Ordinal);
        DoctorFinding opened = report.Only("device");
        Assert.Equal(("uacce:hisi_hpre-0", "failed"), (opened.Subject, opened.Level));
        Assert.Contains("is isolated", opened.Seen, StringComparison.Ordinal);
        Assert.Equal("ok", report.Only("vfio").Level);
    }

    [Fact]
    public async Task Devices_that_answer_wrong_are_found()
    {
        string plan = _scenario.Write("plan.json", """{ "seed": 1, "faults": [{ "kind": "swap", "probability": 1 }] }""");
        await using EmulatorProcess emulator = await EmulatorProcess.StartAsync(_scenario, _scenario.File("warp.sock"), "--faults", plan);
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--device", emulator.DeviceUri]);
        Assert.Equal(1, report.ExitCode);
        DoctorFinding wrong = Assert.Single(report.All("known-answer"), static one => one.Level == "failed");
        Assert.Contains("wrong answer", wrong.Seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_of_another_certificate_is_told_once_with_the_line_of_the_file()
    {
        using var one = TestCertificate.Rsa(2048);
        using var other = TestCertificate.Rsa(2048);
        string file = _scenario.Write("proxy.json", $$"""
            {
              "Certificates": {
                "shop": { "File": "{{_scenario.Write("one.pem", one.ChainPem)}}", "KeyFile": "{{WriteKey("two.key", other.KeyPem)}}" },
                "news": { "File": "{{_scenario.File("one.pem")}}", "KeyFile": "{{WriteKey("one.key", one.KeyPem)}}" }
              }
            }
            """);
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--config", file, .. NoDevice]);
        Assert.Equal(1, report.ExitCode);
        string sentence = $"The key in '{_scenario.File("two.key")}' does not belong to the certificate in '{_scenario.File("one.pem")}'";
        DoctorFinding wrong = Assert.Single(report.Findings, static one => one.Level == "failed");
        Assert.Equal(("certificate", "shop", $"{file}:3: {sentence}"), (wrong.Check, wrong.Subject, wrong.Seen));
        DoctorFinding right = Assert.Single(report.All("certificate"), static one => one.Subject == "news");
        Assert.Equal(("ok", "rsa", 2048), (right.Level, right.Values.GetProperty("keyType").GetString(), right.Values.GetProperty("keyBits").GetInt32()));
    }

    [Fact]
    public async Task Expired_certificate_and_one_that_ends_soon_are_told()
    {
        using var expired = TestCertificate.Rsa(2048, DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(-3));
        using var ending = TestCertificate.Rsa(2048, DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(3));
        using var early = TestCertificate.Rsa(2048, DateTimeOffset.UtcNow.AddDays(2), DateTimeOffset.UtcNow.AddDays(300));
        string[] names = ["expired", "ending", "early"];
        foreach ((string name, TestCertificate certificate) in names.Zip([expired, ending, early]))
        {
            WriteKey($"{name}.pem", certificate.ChainPem + certificate.KeyPem);
        }

        string sections = string.Join(", ", names.Select(name => $$"""
            "{{name}}": { "File": "{{_scenario.File($"{name}.pem")}}" }
            """));
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--config", _scenario.Write("proxy.json", $$"""{ "Certificates": { {{sections}} } }"""), .. NoDevice]);
        Assert.Equal(1, report.ExitCode);
        Assert.Equal(
            ["failed", "warning", "failed"],
            names.Select(name => Assert.Single(report.All("certificate"), one => one.Subject == name).Level));
        Assert.Contains("it has expired on ", Assert.Single(report.All("certificate"), static one => one.Subject == "expired").Seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_intermediate_and_key_that_everybody_may_read_are_warnings()
    {
        using var certificate = TestCertificate.WithIntermediate();
        string leaf = _scenario.Write("leaf.pem", certificate.Certificate.ExportCertificatePem());
        string key = WriteKey("key.pem", certificate.KeyPem);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--certificate", leaf, "--key", key, .. NoDevice]);
        Assert.Equal(0, report.ExitCode);
        DoctorFinding[] warnings = [.. report.All("certificate").Where(static one => one.Level == "warning")];
        Assert.Equal(2, warnings.Length);
        Assert.Contains("'CN=Test intermediate'", warnings[0].Seen, StringComparison.Ordinal);
        Assert.Contains($"append its certificate to '{leaf}'", warnings[0].Advice, StringComparison.Ordinal);
        Assert.Equal($"everybody on this machine may read the key file '{key}' (mode 0644)", warnings[1].Seen);
        Assert.Equal($"chmod 600 '{key}'", warnings[1].Advice);
    }

    [Fact]
    public async Task Ports_in_use_are_told_with_who_has_them()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string url = $"https://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--urls", $"{url};https://203.0.113.1:8443", .. NoDevice]);
        Assert.Equal(1, report.ExitCode);
        DoctorFinding[] listeners = [.. report.All("listener")];
        Assert.Equal(["failed", "failed"], listeners.Select(static one => one.Level));
        Assert.Matches($"^{url} is in use by .+ \\(process {Environment.ProcessId}\\)$", listeners[0].Seen);
        Assert.Equal("https://203.0.113.1:8443 is no address of this machine", listeners[1].Seen);
        Assert.Equal("ok", report.Only("admin").Level);
    }

    [Fact]
    public async Task Ports_of_the_proxy_that_runs_already_are_a_warning()
    {
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, NoDevice);
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--urls", $"https://127.0.0.1:{proxy.Url.Port}", "--admin", $"http://127.0.0.1:{proxy.Admin.Port}", .. NoDevice]);
        Assert.Equal(0, report.ExitCode);
        Assert.All([report.Only("listener"), report.Only("admin")], one =>
        {
            Assert.Equal("warning", one.Level);
            Assert.EndsWith($"is in use by warpproxy (process {proxy.Process.Id})", one.Seen, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Upstreams_that_do_not_answer_are_warnings()
    {
        using var there = new TcpListener(IPAddress.Loopback, 0);
        there.Start();
        string file = _scenario.Write("proxy.json", $$"""
            {
              "ReverseProxy": {
                "Routes": { "all": { "ClusterId": "web", "Match": { "Path": "{**all}" } } },
                "Clusters": { "web": { "Destinations": {
                  "one": { "Address": "http://127.0.0.1:{{((IPEndPoint)there.LocalEndpoint).Port}}/" }, "two": { "Address": "http://user:geheim@127.0.0.1:1/" }
                } } }
              }
            }
            """);
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--config", file, .. NoDevice]);
        Assert.Equal(0, report.ExitCode);
        Assert.Equal([("web/one", "ok"), ("web/two", "warning")], report.All("upstream").Select(static one => (one.Subject!, one.Level)));
        Assert.StartsWith("127.0.0.1:1: ", report.All("upstream").Last().Seen, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", _scenario.Transcript(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mistakes_of_the_configuration_are_those_of_a_start_and_the_rest_is_examined()
    {
        string file = _scenario.Write("proxy.json", """
            {
              "Offload": { "Depth": 300 },
              "Tickets": { "Keys": [ "/absent/key" ] },
              "Tls": { "Lanes": 0 }
            }
            """);
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--config", file]);
        Assert.Equal(1, report.ExitCode);
        RunningProcess check = _scenario.Start(Executable.Proxy, ["check", "--config", file]);
        Assert.Equal(2, await check.WaitForExitAsync(Limit));
        Assert.Equal(3, check.Errors.Length);
        Assert.Equal(check.Errors.Select(static line => line.TrimEnd('.')), report.All("configuration").Select(static one => one.Seen));
        Assert.All(report.All("configuration"), static one => Assert.Equal("failed", one.Level));

        // Where a section is wrong its defaults are examined.
        Assert.Equal("ok", report.Only("device").Level);
        Assert.Equal("ok", report.Only("admin").Level);
    }

    [Fact]
    public async Task File_that_is_no_json_is_told_and_the_command_line_is_examined()
    {
        string file = _scenario.Write("proxy.json", "{ \"Offload\": }");
        DoctorReport report = await DoctorReport.RunAsync(_scenario, ["--config", file, .. NoDevice]);
        Assert.Equal(1, report.ExitCode);
        DoctorFinding unread = report.Only("configuration");
        Assert.Equal("failed", unread.Level);
        Assert.Contains("is not JSON, line 1", unread.Seen, StringComparison.Ordinal);
        Assert.Equal("the configuration uses none: software computes all private-key operations", report.Only("device").Seen);
    }

    [Fact]
    public async Task Secrets_are_never_told()
    {
        const string Password = "correct horse battery staple";
        using var certificate = TestCertificate.Rsa(2048);
        string pem = _scenario.Write("certificate.pem", certificate.ChainPem);
        string key = WriteKey("key.pem", certificate.EncryptedKeyPem(Password));
        var environment = new Dictionary<string, string> { ["WARPPROXY_KEY_PASSWORD"] = Password };
        Assert.Equal(0, (await DoctorReport.RunAsync(_scenario, ["--certificate", pem, "--key", key, .. NoDevice], environment)).ExitCode);
        environment["WARPPROXY_KEY_PASSWORD"] = Password + "!";
        Assert.Equal(1, (await DoctorReport.RunAsync(_scenario, ["--certificate", pem, "--key", key, .. NoDevice], environment)).ExitCode);
        string said = _scenario.Transcript();
        Assert.DoesNotContain(Password, said, StringComparison.Ordinal);
        Assert.All(certificate.KeyPem.Split('\n').Where(static line => line.Length == 64), line => Assert.DoesNotContain(line, said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unknown_option_is_one_sentence_and_exit_code_2()
    {
        RunningProcess doctor = _scenario.Start(Executable.Proxy, ["doctor", "--nonsense"]);
        Assert.Equal(2, await doctor.WaitForExitAsync(Limit));
        Assert.Empty(doctor.Output);
        Assert.Single(doctor.Errors);
    }

    private static void AssertKnownAnswers(DoctorReport report, string device)
    {
        // A busy machine may be later than the deadline, which is a warning.
        DoctorFinding[] answers = [.. report.All("known-answer")];
        Assert.Equal([1024, 2048, 3072, 4096], answers.Select(static one => one.Values.GetProperty("bits").GetInt32()));
        Assert.All(answers, one =>
        {
            Assert.Equal(device, one.Subject);
            Assert.NotEqual("failed", one.Level);
            Assert.True(one.Values.GetProperty("milliseconds").GetDouble() > 0);
            Assert.True(one.Values.GetProperty("together").GetInt32() >= 2);
        });
    }

    private async Task<string> RunInTerminalAsync(string variable)
    {
        string command = $"TERM=xterm {variable} {Executable.Proxy} doctor --urls https://127.0.0.1:0 --admin http://127.0.0.1:0 --device none";
        RunningProcess terminal = _scenario.Start("/usr/bin/script", ["-qec", command, "/dev/null"]);
        Assert.Equal(0, await terminal.WaitForExitAsync(Limit));
        return string.Join('\n', terminal.Output);
    }

    private string WriteKey(string name, string content)
    {
        string path = _scenario.Write(name, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
