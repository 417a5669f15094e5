using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warp-loadtest idle</c>: it holds connections. What they cost depends on the servers, and says little with so few.</summary>
[Collection(Alone.Name)]
public sealed class IdleTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("1.3")]
    [InlineData("1.2")]
    public async Task Connections_rest_at_each_server_in_turn(string tls)
    {
        ToolResult result = await RunAsync("--connections", "40", "--settle", "0.2", "--tls", tls, "--json");
        Assert.Equal(0, result.ExitCode);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        JsonElement[] rows = [.. json.RootElement.EnumerateArray()];
        Assert.Equal(
            ["Kestrel", "WarpProxy"], rows.Select(static row => row.GetProperty("server").GetString()).Where(static server => server != "nginx"));
        Assert.All(rows, static row =>
        {
            Assert.Equal(40, row.GetProperty("connections").GetInt32());
            Assert.Equal(0, row.GetProperty("ended").GetInt32());
            Assert.True(row.GetProperty("bytesBefore").GetInt64() > 0);
            Assert.True(row.GetProperty("bytesWith").GetInt64() > 0);
        });
    }

    [Fact]
    public async Task Without_a_proxy_it_says_so()
    {
        ToolResult result = await RunAsync("--connections", "1", "--proxy", "/nowhere/warpproxy");
        Assert.Equal((2, "", "--proxy is /nowhere/warpproxy; there is no such file.\n"), (result.ExitCode, result.Output, result.Error));
    }

    private async Task<ToolResult> RunAsync(params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Executable.LoadTest, ["idle", .. arguments], limit: TimeSpan.FromMinutes(5));
        output.WriteLine(result.ToString());
        return result;
    }
}
