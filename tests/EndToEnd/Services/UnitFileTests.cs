using System.Globalization;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using WarpProxy.Tests.EndToEnd.SystemCalls;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Services;

/// <summary>The services of systemd, as far as they can be looked at where systemd does not run.</summary>
public sealed class UnitFileTests(ITestOutputHelper output)
{
    private const string Proxy = "warpproxy.service";
    private const string Emulator = "warp-emulator.service";

    public static TheoryData<string> Units() => new(Proxy, Emulator);

    [PackagedFact(UnitFiles.Analyze, UnitFiles.Package)]
    public async Task Units_are_right_in_every_line()
    {
        await using var scenario = new Scenario(output);

        // The programs that they start are looked for, too.
        foreach (string name in (string[])["warpproxy", "warp-emulator"])
        {
            scenario.Write(name, "#!/bin/sh\n");
            File.SetUnixFileMode(scenario.File(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        string[] units = [.. new[] { Proxy, Emulator }.Select(unit => scenario.Write(
            unit,
            File.ReadAllText(UnitFiles.Path(unit)).Replace($"ExecStart={UnitFiles.Folder}/bin", "ExecStart=" + Path.GetDirectoryName(scenario.File("x")), StringComparison.Ordinal)))];
        ToolResult result = await Tool.RunAsync(UnitFiles.Analyze, ["verify", "--man=no", .. units]);

        // Names of settings that it does not know are told, and are no failure.
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output.Trim(), result.Error.Trim()));
    }

    [PackagedFact(UnitFiles.Analyze, UnitFiles.Package)]
    public async Task Units_leave_the_services_no_more_than_was_decided()
    {
        foreach ((string unit, int threshold) in new[] { (Proxy, 20), (Emulator, 10) })
        {
            ToolResult result = await Tool.RunAsync(
                UnitFiles.Analyze,
                ["security", "--no-pager", "--offline=true", "--threshold=" + threshold.ToString(CultureInfo.InvariantCulture), UnitFiles.Path(unit)]);
            output.WriteLine(result.ToString());
            Assert.True(result.ExitCode == 0, result.ToString());
        }
    }

    [PackagedFact("/usr/bin/systemd-sysusers", UnitFiles.Package)]
    public async Task Users_and_folders_are_those_of_the_units()
    {
        ToolResult users = await Tool.RunAsync("/usr/bin/systemd-sysusers", ["--dry-run", UnitFiles.Path("warp.sysusers")]);
        Assert.True(users.ExitCode == 0, users.ToString());
        string listed = await File.ReadAllTextAsync(UnitFiles.Path("warp.sysusers"));
        foreach (string unit in new[] { Proxy, Emulator })
        {
            Assert.Matches($"(?m)^u +{Assert.Single(UnitFiles.Values(unit, "User"))} ", listed);
        }

        Assert.Matches("(?m)^g +warp ", listed);
        Assert.Equal("warp", Assert.Single(UnitFiles.Values(Emulator, "Group")));
        Assert.Equal("warp", Assert.Single(UnitFiles.Values(Proxy, "SupplementaryGroups")));

        // Only root reads what the service gets copies of.
        string folder = Assert.Single(UnitFiles.Values(Proxy, "LoadCredential")).Split(':')[1];
        Assert.Matches($"(?m)^d +{folder} +0700 +root +root ", await File.ReadAllTextAsync(UnitFiles.Path("warp.tmpfiles")));
    }

    [Fact]
    public void End_of_the_service_is_in_step_with_that_of_the_proxy()
    {
        // docs/shutdown.md: Shutdown:Drain, 30 s unless it is set, and 5 s.
        Assert.True(int.Parse(Assert.Single(UnitFiles.Values(Proxy, "TimeoutStopSec")), CultureInfo.InvariantCulture) > 35);
        Assert.Equal("SIGTERM", Assert.Single(UnitFiles.Values(Proxy, "KillSignal")));
        Assert.Equal("/bin/kill -HUP $MAINPID", Assert.Single(UnitFiles.Values(Proxy, "ExecReload")));
        Assert.Equal("2", Assert.Single(UnitFiles.Values(Proxy, "RestartPreventExitStatus")));
    }

    [Fact]
    public async Task Configuration_that_comes_with_the_service_is_right()
    {
        await using var scenario = new Scenario(output);
        string config = await File.ReadAllTextAsync(UnitFiles.Path("proxy.json"));
        ToolResult result = await Tool.RunAsync(
            Executable.Proxy, ["check", "--config", scenario.Write("proxy.json", config.Replace("/run/warp/", scenario.File(""), StringComparison.Ordinal))], limit: TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.ToString());
        string socket = $"/run/{Assert.Single(UnitFiles.Values(Emulator, "RuntimeDirectory"))}/device.sock";
        Assert.EndsWith($"--socket {socket}", Assert.Single(UnitFiles.Values(Emulator, "ExecStart")), StringComparison.Ordinal);
        Assert.Contains($"\"emulator:{socket}\"", config, StringComparison.Ordinal);
    }

    [FilteredFact]
    public async Task Both_programs_serve_when_every_other_system_call_is_refused()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        string socket = scenario.File("device.sock");
        await using RunningProcess emulator = scenario.Start(SystemCallTrace.Program, [.. await RefusingAsync(Emulator, scenario.File("emulator")), Executable.Emulator, "--socket", socket]);
        await Eventually.TrueAsync("the emulator offers its socket", () => emulator.HasExited || File.Exists(socket));
        await using RunningProcess proxy = scenario.Start(
            SystemCallTrace.Program,
            [
                .. await RefusingAsync(Proxy, scenario.File("proxy")), Executable.Proxy, "--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--path", "device",
                "--device", $"emulator:{socket}", .. certificate.WriteTo(scenario),
            ],
            ProxyProcess.LongDeadline);
        string? url = null;
        await Eventually.TrueAsync("the proxy serves", () => proxy.HasExited || (url ??= proxy.Output.Select(static line => ServingUrl(line)).FirstOrDefault(static one => one is not null)) is not null);
        Assert.NotNull(url);
        ToolResult page = await Tool.RunAsync(
            Tool.Curl, ["--silent", "--show-error", "--max-time", "60", "--cacert", scenario.File("root.pem"), url], limit: TimeSpan.FromSeconds(90));
        output.WriteLine(page.ToString());
        proxy.Send(Signal.Terminate);
        Assert.Equal(0, await proxy.WaitForExitAsync(TimeSpan.FromMinutes(1)));
        emulator.Send(Signal.Terminate);
        Assert.Equal(0, await emulator.WaitForExitAsync(TimeSpan.FromMinutes(1)));
        output.WriteLine(await File.ReadAllTextAsync(scenario.File("emulator")));
        output.WriteLine(await File.ReadAllTextAsync(scenario.File("proxy")));
        Assert.Contains("WarpProxy is serving", page.Output, StringComparison.Ordinal);
    }

    /// <summary>strace, which stays a stranger (-D) to the program, and fails every call that the unit's filter does not let through.</summary>
    private static async Task<string[]> RefusingAsync(string unit, string trace)
    {
        // A question mark before a name: this machine's architecture need not have it.
        string allowed = string.Join(',', (await UnitFiles.AllowedCallsAsync(unit)).Order().Select(static call => "?" + call));
        return ["-D", "-f", "--seccomp-bpf", "-o", trace, "-e", $"trace=!{allowed}", "-e", $"inject=!{allowed}:error=EPERM"];
    }

    private static string? ServingUrl(string line) => Regex.Match(line, "Serving (https://.*)$") is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>A test that needs systemd's sets of system calls, and strace that may trace.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class FilteredFactAttribute : FactAttribute
    {
        public FilteredFactAttribute() =>
            Skip = File.Exists(UnitFiles.Analyze) ? SystemCallTrace.WhyNot : $"needs the Debian package {UnitFiles.Package}";
    }
}
