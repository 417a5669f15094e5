using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Release;

/// <summary>What somebody gets who unpacks a release.</summary>
[Collection(Alone.Name)]
public sealed class ReleaseTests(ReleaseArchive release, ITestOutputHelper output) : IClassFixture<ReleaseArchive>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);    // a hundred megabytes are read

    // Hidden ones, too; but links are names, and not the files that they lead to.
    private static readonly EnumerationOptions AllFiles = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    [Fact]
    public async Task Stranger_unpacks_it_and_is_served()
    {
        await using var scenario = new Scenario(output);
        output.WriteLine(release.Transcript);

        // Nothing of the machine that has built it: no .NET to be found, and a home of its own.
        Directory.CreateDirectory(scenario.File("home"));
        await using RunningProcess emulator = Start(scenario, "warp-emulator", "--socket", scenario.File("device.sock"));
        await Eventually.TrueAsync("the emulator offers its socket", () => emulator.HasExited || File.Exists(scenario.File("device.sock")));
        await using RunningProcess proxy = Start(
            scenario, "warpproxy", "--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--path", "device", "--device", $"emulator:{scenario.File("device.sock")}");
        string? url = null;
        await Eventually.TrueAsync("the proxy serves", () => proxy.HasExited || (url ??= Announced(proxy)) is not null);
        Assert.NotNull(url);
        ToolResult page = await Tool.RunAsync(
            Tool.Curl, ["--silent", "--show-error", "--max-time", "60", "--cacert", scenario.File("home/.local/share/warpproxy/localhost.pem"), url], limit: Long);
        Assert.Contains("WarpProxy is serving", page.Output, StringComparison.Ordinal);
        proxy.Send(Signal.Terminate);
        Assert.Equal(0, await proxy.WaitForExitAsync(Patience));
        emulator.Send(Signal.Terminate);
        Assert.Equal(0, await emulator.WaitForExitAsync(Patience));
    }

    [Theory]
    [InlineData("warpproxy")]
    [InlineData("warp-emulator")]
    [InlineData("warp-loadtest")]
    public async Task Every_program_says_which_version_it_is(string program)
    {
        ToolResult result = await Tool.RunAsync(Path.Combine(release.Folder, "bin", program), ["--version"], limit: Long);
        Assert.Equal((0, (await File.ReadAllTextAsync(Path.Combine(release.Folder, "VERSION"))).Trim()), (result.ExitCode, result.Output.Trim()));

        // Semantic, with the commit where there is one.
        Assert.Matches(@"^\d+\.\d+\.\d+(\+[0-9a-f]{7,40}(\.changed)?)?$", result.Output.Trim());
    }

    [Fact]
    public async Task Sums_of_all_files_are_right()
    {
        ToolResult result = await Tool.RunAsync("/usr/bin/env", ["-C", release.Folder, "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], limit: Long);
        Assert.True(result.ExitCode == 0, result.ToString());
        string[] summed = [.. (await File.ReadAllLinesAsync(Path.Combine(release.Folder, "SHA256SUMS"))).Select(static line => line[66..]).Order()];
        Assert.Equal(Files().Where(static file => file != "SHA256SUMS").Order(), summed);
        ToolResult ofArchive = await Tool.RunAsync("/usr/bin/env", ["-C", Path.GetDirectoryName(release.Archive)!, "sha256sum", "--check", Path.GetFileName(release.Archive) + ".sha256"], limit: Long);
        Assert.True(ofArchive.ExitCode == 0, ofArchive.ToString());
    }

    [Fact]
    public async Task Nothing_in_it_depends_on_the_machine_that_built_it()
    {
        ToolResult listed = await Tool.RunAsync("/usr/bin/tar", ["-tvzf", release.Archive, "--numeric-owner", "--full-time"], limit: Long);
        string[] lines = listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, static line => Assert.Contains(" 0/0 ", line, StringComparison.Ordinal));
        Assert.Single(lines.Select(static line => Regex.Match(line, @"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").Value).Distinct());
        string[] names = [.. lines.Select(static line => Regex.Match(line, @":\d\d (\S+)").Groups[1].Value.TrimEnd('/'))];
        Assert.Equal(names.Order(StringComparer.Ordinal).Distinct().Count(), names.Length);

        // A gzip header has no name and no time (RFC 1952).
        byte[] head = new byte[10];
        await using (FileStream archive = File.OpenRead(release.Archive))
        {
            await archive.ReadExactlyAsync(head);
        }

        Assert.Equal((0, 0), (head[3], BitConverter.ToInt32(head, 4)));

        // Neither of the folder of the source nor of the user's packages is there a trace.
        byte[][] paths = [.. new[] { Executable.RepositoryFile("").TrimEnd('/'), Environment.GetEnvironmentVariable("HOME") + "/.nuget", Path.GetTempPath() + "tmp." }.Select(Encoding.UTF8.GetBytes)];
        foreach (string file in Files())
        {
            byte[] content = await File.ReadAllBytesAsync(Path.Combine(release.Folder, file));
            Assert.All(paths, path => Assert.True(content.AsSpan().IndexOf(path) < 0, $"{file} has {Encoding.UTF8.GetString(path)}"));
        }
    }

    [Fact]
    public async Task Whatever_others_wrote_is_named_with_its_licence()
    {
        string notices = await File.ReadAllTextAsync(Path.Combine(release.Folder, "THIRD-PARTY-NOTICES.txt"));
        foreach (string file in Files().Where(static file => file.EndsWith(".deps.json", StringComparison.Ordinal)))
        {
            using JsonDocument dependencies = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(release.Folder, file)));
            string[] others =
            [
                .. dependencies.RootElement.GetProperty("libraries").EnumerateObject()
                    .Where(static library => library.Value.GetProperty("type").GetString() is not ("project" or "runtimepack"))
                    .Select(static library => library.Name.Split('/')[0])
                    .Where(static name => !name.StartsWith("warp", StringComparison.OrdinalIgnoreCase)),
            ];
            Assert.NotEmpty(others);
            Assert.All(others, other => Assert.Contains($"\n  {other}\n", notices, StringComparison.Ordinal));
        }

        Assert.Contains("LICENSE", Files());
        Assert.Contains("CHANGELOG.md", Files());
    }

    [Fact]
    public void Documents_charts_and_services_are_there()
    {
        string[] files = Files();
        foreach (string folder in new[] { "docs", "charts", "deploy/systemd" })
        {
            string root = Executable.RepositoryFile(folder);
            string target = Path.GetFileName(folder);
            Assert.All(
                Directory.EnumerateFiles(root, "*", AllFiles).Select(file => $"{target}/{Path.GetRelativePath(root, file)}"),
                file => Assert.Contains(file, files));
        }

        // What the services start.
        foreach (string unit in new[] { "warpproxy.service", "warp-emulator.service" })
        {
            string start = File.ReadLines(Path.Combine(release.Folder, "systemd", unit)).Single(static line => line.StartsWith("ExecStart=/opt/warpproxy/", StringComparison.Ordinal));
            Assert.True(File.Exists(Path.Combine(release.Folder, start["ExecStart=/opt/warpproxy/".Length..].Split(' ')[0])), start);
        }
    }

    private string[] Files() =>
        [.. Directory.EnumerateFiles(release.Folder, "*", AllFiles).Select(file => Path.GetRelativePath(release.Folder, file))];

    private RunningProcess Start(Scenario scenario, string program, params string[] arguments) => scenario.Start(
        "/usr/bin/env",
        ["-i", "PATH=/usr/bin:/bin", $"HOME={scenario.File("home")}", $"DOTNET_ROOT={scenario.File("nowhere")}", Path.Combine(release.Folder, "bin", program), .. arguments]);

    private static string? Announced(RunningProcess process) =>
        process.Output.Select(static line => Regex.Match(line, "Serving (https://.*)$")).FirstOrDefault(static match => match.Success)?.Groups[1].Value;
}
