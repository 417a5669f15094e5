using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>What <c>warp-emulator</c> refuses at start, and how it ends.</summary>
public sealed class EmulatorBadInputTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1000")]
    [InlineData("many")]
    public Task Engines_that_are_not_allowed(string engines) => AssertRefusedAsync(
        scenario => ["--socket", scenario.File("device.sock"), "--engines", engines],
        _ => $"--engines is '{engines}'");

    [Fact]
    public Task Engine_that_does_not_exist() => AssertRefusedAsync(
        scenario => ["--socket", scenario.File("device.sock"), "--engine", "fast"], _ => "--engine is 'fast'; allowed are auto, scalar and simd.");

    [Fact]
    public async Task Engine_that_the_CPU_cannot_run()
    {
        await using var scenario = new Scenario(output);
        await AssertRefusedAsync(
            scenario,
            ["--socket", scenario.File("device.sock"), "--engine", "simd"],
            "--engine is 'simd', which needs AVX2 and FMA, which this CPU lacks; allowed are auto and scalar.",
            new Dictionary<string, string> { ["DOTNET_EnableAVX2"] = "0" });
    }

    [Theory]
    [InlineData("--allow-uid", "0,root", "--allow-uid has 'root'; allowed are numbers, as id(1) shows them, with commas between.")]
    [InlineData("--allow-gid", "-1", "--allow-gid has '-1'; allowed are numbers")]
    [InlineData("--faults", "/nowhere/plan.json", "--faults names '/nowhere/plan.json', which cannot be read")]
    public Task Value_that_cannot_be_used(string option, string value, string sentence) => AssertRefusedAsync(
        scenario => ["--socket", scenario.File("device.sock"), option, value], _ => sentence);

    [Fact]
    public async Task Plan_of_faults_that_is_none()
    {
        await using var scenario = new Scenario(output);
        string plan = scenario.Write("plan.json", """{ "faults": [{ "kind": "explode" }] }""");
        await AssertRefusedAsync(
            scenario, ["--socket", scenario.File("device.sock"), "--faults", plan], $"--faults names '{plan}', which is no plan: line 1, byte 33: faults[0].kind cannot have this value");
    }

    [Fact]
    public Task No_socket() => AssertRefusedAsync(_ => [], _ => "--socket");

    [Fact]
    public Task Unknown_option() => AssertRefusedAsync(scenario => ["--socket", scenario.File("device.sock"), "--speed", "high"], _ => "'--speed'");

    [Fact]
    public Task Missing_directory() => AssertRefusedAsync(
        scenario => ["--socket", scenario.File("missing/device.sock")],
        scenario => $"'{scenario.File("missing")}', which does not exist");

    [Fact]
    public async Task File_at_the_socket_path_is_left_alone()
    {
        await using var scenario = new Scenario(output);
        string path = scenario.Write("device.sock", "precious");
        await AssertRefusedAsync(scenario, ["--socket", path], $"'{path}' exists and is no socket");
        Assert.Equal("precious", await File.ReadAllTextAsync(path));
    }

    [Fact]
    public async Task Socket_of_a_live_emulator_is_left_alone()
    {
        await using var scenario = new Scenario(output);
        await using EmulatorProcess first = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await AssertRefusedAsync(scenario, ["--socket", scenario.File("device.sock")], "is in use by a server that answers");

        first.Process.Send(Signal.Terminate);
        Assert.Equal(0, await first.Process.WaitForExitAsync(Limit));
        Assert.False(File.Exists(scenario.File("device.sock")));
    }

    [Fact]
    public async Task Stale_socket_is_replaced()
    {
        await using var scenario = new Scenario(output);
        EmulatorProcess killed = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await killed.KillAsync();
        Assert.True(File.Exists(scenario.File("device.sock")));
        EmulatorProcess second = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await Eventually.TrueAsync(
            "a line about the stale socket", () => Task.FromResult(second.Process.Output.Any(line => line.Contains("Removed", StringComparison.Ordinal))));
    }

    private async Task AssertRefusedAsync(Func<Scenario, string[]> arguments, Func<Scenario, string> sentence)
    {
        await using var scenario = new Scenario(output);
        await AssertRefusedAsync(scenario, arguments(scenario), sentence(scenario));
    }

    private static async Task AssertRefusedAsync(
        Scenario scenario, string[] arguments, string sentence, IReadOnlyDictionary<string, string>? environment = null)
    {
        RunningProcess emulator = scenario.Start(Executable.Emulator, arguments, environment);
        int exitCode = await emulator.WaitForExitAsync(Limit);
        string line = Assert.Single(emulator.Errors);
        Assert.Contains(sentence, line, StringComparison.Ordinal);
        Assert.EndsWith(".", line, StringComparison.Ordinal);
        Assert.Equal(2, exitCode);
    }
}
