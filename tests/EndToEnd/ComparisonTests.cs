using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warp-loadtest compare</c> and <c>peers</c>: short runs. How fast the servers are depends on the machine.</summary>
[Collection(Alone.Name)]
public sealed class ComparisonTests(ITestOutputHelper output)
{
    private const int MaxAttempts = 5;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("embedded:")]
    [InlineData("emulator:")]
    public async Task Same_proxy_with_its_operations_on_a_device_and_in_software(string device)
    {
        JsonElement[] rows = await MeasureAsync("compare", "--device", device, "--connections", "1,8");
        Assert.Equal(
            ["software 1", "device 1", "software 8", "device 8"],
            rows.Where(static row => Server(row) != "auto").Select(static row => $"{Server(row)} {row.GetProperty("connections").GetInt32()}"));
        Assert.All(rows, static row => CheckServed(row, "ratioToSoftware"));

        // The row's own work, not that of the warm-up: at least what was completed, at most what was begun too.
        Assert.All(rows.Where(static row => Server(row) == "software"), static row => Assert.Equal(0, row.GetProperty("deviceOperations").GetInt64()));
        Assert.All(rows.Where(static row => Server(row) == "device"), static row =>
            Assert.InRange(row.GetProperty("deviceOperations").GetInt64(), 1, long.MaxValue));
        Assert.All(rows.Where(static row => Server(row) == "software"), static row => Assert.Equal(1, row.GetProperty("ratioToSoftware").GetDouble()));
    }

    [Fact]
    public async Task Batches_of_the_device_are_told()
    {
        JsonElement[] rows = await MeasureAsync("compare", "--connections", "8");
        JsonElement device = rows.Single(static row => Server(row) == "device");
        long operations = device.GetProperty("batches").EnumerateObject().Sum(static size =>
            int.Parse(size.Name, CultureInfo.InvariantCulture) * size.Value.GetInt64());

        // Read one after the other while a few operations may be under way.
        Assert.InRange(operations, device.GetProperty("deviceOperations").GetInt64() - 64, device.GetProperty("deviceOperations").GetInt64() + 64);
    }

    [DebianPackageTheory("nginx", "/usr/sbin/nginx")]
    [InlineData("1.3", "")]
    [InlineData("1.2", "--request")]
    public async Task Nginx_and_WarpProxy_in_one_run(string tls, string request)
    {
        JsonElement[] rows = await MeasureAsync("peers", ["--tls", tls, "--sizes", "2048", "--connections", "4", .. Words(request)]);
        Assert.Equal(
            ["nginx", "nginx, no tickets", "Kestrel", "WarpProxy device", "WarpProxy software"],
            rows.Select(Server).Where(static server => server != "haproxy"));
        Assert.All(rows, row =>
        {
            CheckServed(row, "ratioToNginx");
            Assert.Equal(2048, row.GetProperty("bits").GetInt32());
            Assert.Equal(tls, row.GetProperty("tls").GetString());
        });
        Assert.Equal(1, rows.Single(static row => Server(row) == "nginx").GetProperty("ratioToNginx").GetDouble());
    }

    [Theory]
    [InlineData("1.3")]
    [InlineData("1.2")]
    public async Task Ecdsa_keys_are_compared_too(string tls)
    {
        JsonElement[] rows = await MeasureAsync("compare", "--tls", tls, "--sizes", "P-256", "--connections", "4");
        Assert.All(rows, static row =>
        {
            CheckServed(row, "ratioToSoftware");
            Assert.Equal("ECDSA P-256", row.GetProperty("key").GetString());

            // Devices compute RSA only.
            Assert.Equal(0, row.GetProperty("deviceOperations").GetInt64());
        });
    }

    [DebianPackageTheory("haproxy", "/usr/sbin/haproxy")]
    [InlineData("1.3", "")]
    [InlineData("1.2", "--request")]
    public async Task Haproxy_is_one_of_the_peers(string tls, string request)
    {
        JsonElement[] rows = await MeasureAsync("peers", ["--tls", tls, "--sizes", "3072", "--connections", "4", .. Words(request)]);
        JsonElement haproxy = rows.Single(static row => Server(row) == "haproxy");
        CheckServed(haproxy, rows.Any(static row => Server(row) == "nginx") ? "ratioToNginx" : "handshakesPerSecond");
        Assert.Equal(3072, haproxy.GetProperty("bits").GetInt32());
    }

    [Fact]
    public async Task Report_is_a_page_and_a_json_file_of_the_same()
    {
        await using var scenario = new Scenario(output);
        string page = scenario.File("report.html");
        ToolResult result = await RunAsync("compare", [.. Short, "--connections", "2", "--report", page]);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("RSA-2048, TLS 1.3, 2 connections", result.Output, StringComparison.Ordinal);
        Assert.Contains("CPU us/handshake", result.Output, StringComparison.Ordinal);
        Assert.Contains("\"Path\": \"software\"", result.Output, StringComparison.Ordinal);
        XElement html = XDocument.Parse(await File.ReadAllTextAsync(page)).Root!;
        Assert.Equal(3, html.Descendants("figure").Count());
        Assert.True(html.Descendants("polyline").Count() >= 4);
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(scenario.File("report.json")));
        JsonElement row = json.RootElement.GetProperty("rows")[0];
        CheckServed(row, "ratioToSoftware");
        string rate = row.GetProperty("handshakesPerSecond").GetDouble().ToString("N0", CultureInfo.InvariantCulture);
        Assert.Contains(rate, html.Descendants("td").Select(static cell => cell.Value));
        Assert.Contains(rate, result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(Signal.Interrupt), 130)]
    [InlineData(nameof(Signal.Terminate), 143)]
    public async Task Signal_ends_all_servers_and_shows_what_was_measured(string signal, int exitCode)
    {
        await using var scenario = new Scenario(output);
        RunningProcess process = scenario.Start(
            Executable.LoadTest,
            ["compare", "--device", "emulator:", "--seconds", "0.1", "--rounds", "1000", "--warmup", "0", "--connections", "2", "--json"]);

        int[] servers = await WaitForRoundsAsync(process.Id);
        Assert.True(servers.Length >= 8, "the origin, two proxies and an emulator, each with its guard");
        process.Send(Enum.Parse<Signal>(signal));
        Assert.Equal(exitCode, await process.WaitForExitAsync(Limit));
        Assert.All(servers, static server => Assert.False(IsRunning(server), $"process {server} still runs"));
        using JsonDocument json = JsonDocument.Parse(string.Join('\n', process.Output));
        Assert.Contains("device", json.RootElement.EnumerateArray().Select(Server));
        Assert.Empty(process.Errors);
    }

    [Fact]
    public async Task Server_that_dies_ends_the_run_with_what_was_measured()
    {
        await using var scenario = new Scenario(output);
        RunningProcess process = scenario.Start(
            Executable.LoadTest, ["compare", "--seconds", "0.1", "--rounds", "1000", "--warmup", "0", "--connections", "2"]);
        int[] servers = await WaitForRoundsAsync(process.Id);
        int proxy = servers.First(static id => File.Exists($"/proc/{id}/cwd/warpproxy.json"));
        Signals.Send(proxy, Signal.Kill);
        Assert.Equal(1, await process.WaitForExitAsync(Limit));
        Assert.Contains(process.Output, static line => line.StartsWith("Warning: Ended early: ", StringComparison.Ordinal));
        Assert.Contains(process.Output, static line => line.StartsWith("device ", StringComparison.Ordinal));
        Assert.All(servers, static server => Assert.False(IsRunning(server), $"process {server} still runs"));
    }

    [Fact]
    public async Task Second_signal_ends_the_program_and_its_servers_at_once()
    {
        await using var scenario = new Scenario(output);
        RunningProcess process = scenario.Start(
            Executable.LoadTest,
            ["compare", "--device", "emulator:", "--seconds", "60", "--warmup", "60", "--connections", "2"],
            TemporaryFilesIn(scenario));
        int[] servers = [];
        await Eventually.TrueAsync("the servers run", () => (servers = ChildrenOf(process.Id)).Length >= 8, Limit); // four, each with its guard
        process.Send(Signal.Terminate);
        process.Send(Signal.Interrupt);
        await process.WaitForExitAsync(Limit);
        await Eventually.TrueAsync("no server runs", () => !servers.Any(IsRunning));
    }

    [Fact]
    public async Task Servers_end_when_the_program_is_killed()
    {
        await using var scenario = new Scenario(output);
        RunningProcess process = scenario.Start(
            Executable.LoadTest,
            ["compare", "--device", "emulator:", "--seconds", "0.1", "--rounds", "1000", "--warmup", "0", "--connections", "2"],
            TemporaryFilesIn(scenario));
        int[] servers = await WaitForRoundsAsync(process.Id);
        process.Send(Signal.Kill);
        await process.WaitForExitAsync(Limit);
        await Eventually.TrueAsync("no server runs", () => !servers.Any(IsRunning));
    }

    [Theory]
    [InlineData("compare --proxy /nowhere/warpproxy", "--proxy is /nowhere/warpproxy; there is no such file.")]
    [InlineData("peers --proxy /nowhere/warpproxy", "--proxy is /nowhere/warpproxy; there is no such file.")]
    [InlineData("compare --device emulator: --emulator /nowhere/e", "--emulator is /nowhere/e; there is no such file.")]
    [InlineData("compare --device hpre:", "--device is hpre:; it must be embedded:, emulator:, emulator:/path/to.sock, uacce:NAME, uacce:auto or mdev:UUID.")]
    [InlineData("peers --sizes 2048,1024", "--sizes has '1024'; each must be 2048, 3072, 4096 or P-256.")]
    [InlineData("peers --tls 1.1", "--tls has '1.1'; each must be 1.3 or 1.2.")]
    [InlineData("peers --connections 0", "--connections has '0'; each must be between 1 and 10000.")]
    [InlineData("peers --rounds 0", "--rounds is 0; it must be between 1 and 1000.")]
    [InlineData("peers --server-cpus x", "--server-cpus is 'x'; it must be numbers of processors such as 0,2-3.")]
    [InlineData("peers --report report.txt", "--report is report.txt; it must end with .html.")]
    public async Task Bad_input(string arguments, string sentence)
    {
        ToolResult result = await RunAsync(Words(arguments)[0], Words(arguments)[1..]);
        Assert.Equal((2, "", sentence + "\n"), (result.ExitCode, result.Output, result.Error));
    }

    private static string[] Short => ["--seconds", "0.5", "--rounds", "2", "--warmup", "0.2"];

    // Who is killed leaves its temporary files.
    private static Dictionary<string, string> TemporaryFilesIn(Scenario scenario) => new() { ["TMPDIR"] = scenario.File("") };

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Server(JsonElement row) => row.GetProperty("server").GetString()!;

    private static void CheckServed(JsonElement row, string ratio)
    {
        Assert.True(row.GetProperty("handshakesPerSecond").GetDouble() > 0);
        Assert.True(row.GetProperty("cpuMicrosecondsPerHandshakeHighest").GetDouble() > 0);
        Assert.True(row.GetProperty("p99Milliseconds").GetDouble() >= row.GetProperty("p50Milliseconds").GetDouble());
        Assert.True(row.GetProperty(ratio).GetDouble() > 0);
        Assert.Empty(row.GetProperty("errors").EnumerateObject());
        Assert.Equal(2, row.GetProperty("rounds").GetInt32());
    }

    /// <summary>Until there were more operations than a single run can have; returns the servers.</summary>
    private static async Task<int[]> WaitForRoundsAsync(int process)
    {
        int[] servers = [];
        await Eventually.TrueAsync("rounds are measured", async () => await DeviceOperationsOf(servers = ChildrenOf(process)) > 500, Limit);
        return servers;
    }

    private static int[] ChildrenOf(int parent) =>
    [
        .. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(static name => int.TryParse(name, out _))
            .Where(id => ParentOf(id!) == parent).Select(static id => int.Parse(id!, CultureInfo.InvariantCulture)),
    ];

    /// <summary>As the proxies among these processes tell, which serve where the configuration in their folder says.</summary>
    private static async Task<long> DeviceOperationsOf(IEnumerable<int> processes)
    {
        long operations = 0;
        foreach (string file in processes.Select(static id => $"/proc/{id}/cwd/warpproxy.json").Where(File.Exists))
        {
            using JsonDocument configuration = JsonDocument.Parse(await File.ReadAllTextAsync(file));
            string admin = configuration.RootElement.GetProperty("Server").GetProperty("Admin").GetString()!;
            try
            {
                operations += (await ProxyStatus.ReadAsync(new Uri(admin))).Operations.Device;
            }
            catch (HttpRequestException)
            {
                // It does not serve yet.
            }
        }

        return operations;
    }

    private static int ParentOf(string id) => StatOf(id) is [_, string parent, ..] ? int.Parse(parent, CultureInfo.InvariantCulture) : 0;

    // One that was killed and that nobody has waited for yet is a zombie.
    private static bool IsRunning(int id) => StatOf(id.ToString(CultureInfo.InvariantCulture)) is [not "Z", ..];

    /// <summary>The fields of /proc/PID/stat from the state on; empty when there is no such process.</summary>
    private static string[] StatOf(string id)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>
    /// On a machine that is far too busy half a second may pass without a handshake, and a device may miss its deadlines until it is kept out. It is then
    /// measured again.
    /// </summary>
    private async Task<JsonElement[]> MeasureAsync(string verb, params string[] arguments)
    {
        for (int attempt = 1; ; attempt++)
        {
            ToolResult result = await RunAsync(verb, [.. Short, "--json", .. arguments]);
            Assert.Equal(0, result.ExitCode);
            Assert.Empty(result.Error);
            using JsonDocument json = JsonDocument.Parse(result.Output);
            JsonElement[] rows = [.. json.RootElement.EnumerateArray().Select(static row => row.Clone())];
            if (attempt == MaxAttempts || Array.TrueForAll(rows, HasWorked))
            {
                return rows;
            }
        }
    }

    private static bool HasWorked(JsonElement row) => row.GetProperty("handshakesPerSecondLowest").GetDouble() > 0
        && row.GetProperty("cpuMicrosecondsPerHandshakeHighest").GetDouble() > 0
        && (Server(row) != "device" || row.GetProperty("key").GetString()!.StartsWith("ECDSA", StringComparison.Ordinal) || row.GetProperty("deviceOperations").GetInt64() > 0);

    private async Task<ToolResult> RunAsync(string verb, params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Executable.LoadTest, [verb, .. arguments], limit: Limit);
        output.WriteLine(result.ToString());
        return result;
    }
}
