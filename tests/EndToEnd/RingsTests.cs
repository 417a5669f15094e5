using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warp-loadtest rings</c>: it runs, and nothing is allocated per operation. How fast the rings are depends on the machine.</summary>
[Collection(Alone.Name)]
public sealed class RingsTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Rings_allocate_nothing_per_operation()
    {
        ToolResult result = await Tool.RunAsync(
            Executable.LoadTest, ["rings", "--json", "--seconds", "0.2", "--rounds", "1"], limit: TimeSpan.FromMinutes(5));
        output.WriteLine(result.ToString());
        Assert.Equal(0, result.ExitCode);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        JsonElement[] rows = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(
            ["embedded 1", "process 1", "embedded 64", "process 64"],
            rows.Select(row => $"{row.GetProperty("device").GetString()} {row.GetProperty("inFlight").GetInt32()}"));
        Assert.All(rows, row =>
        {
            Assert.InRange(row.GetProperty("allocatedBytesPerOperation").GetDouble(), 0, 0.01);
            Assert.True(row.GetProperty("operationsPerSecond").GetDouble() > 0);
        });
    }
}
