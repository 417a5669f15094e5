using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>The client in Python, written from the datasheet alone, against <c>warp-emulator</c>.</summary>
[Collection(Alone.Name)]
public sealed class DatasheetClientTests(ITestOutputHelper output)
{
    [DebianPackageFact("python3", Tool.Python)]
    public async Task Client_written_from_the_datasheet_has_all_its_operations_right()
    {
        await using var scenario = new Scenario(output);
        await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        ToolResult result = await Tool.RunAsync(
            Tool.Python,
            ["-B", Executable.RepositoryFile("tests/datasheet/client.py"), "--socket", scenario.File("device.sock")],
            limit: TimeSpan.FromMinutes(4));
        output.WriteLine(result.ToString());
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("1000 operations right", result.Output, StringComparison.Ordinal);
    }
}
