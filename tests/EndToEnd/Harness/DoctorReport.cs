using System.Text.Json;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>What <c>warpproxy doctor --json</c> said, after its shape was looked at.</summary>
internal sealed class DoctorReport
{
    private const int MaxAttempts = 5;
    private static readonly string[] Levels = ["ok", "warning", "failed"];

    private DoctorReport(int exitCode, JsonElement document)
    {
        ExitCode = exitCode;
        Findings = [.. document.GetProperty("findings").EnumerateArray().Select(static one => new DoctorFinding(
            one.GetProperty("check").GetString()!,
            one.GetProperty("subject").GetString(),
            one.GetProperty("level").GetString()!,
            one.GetProperty("seen").GetString()!,
            one.GetProperty("advice").GetString(),
            one.GetProperty("values")))];
    }

    public int ExitCode { get; }

    public IReadOnlyList<DoctorFinding> Findings { get; }

    /// <summary>Runs the doctor on ports that the system chooses, unless the arguments say otherwise.</summary>
    public static async Task<DoctorReport> RunAsync(Scenario scenario, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        RunningProcess process = scenario.Start(
            Executable.Proxy, ["doctor", "--json", .. arguments], new Dictionary<string, string>(environment ?? new Dictionary<string, string>())
            {
                ["WARPPROXY_Server__Urls"] = "https://127.0.0.1:0", ["WARPPROXY_Server__Admin"] = "http://127.0.0.1:0",
            });
        int exitCode = await process.WaitForExitAsync(TimeSpan.FromMinutes(3));
        Assert.Empty(process.Errors);
        using var document = JsonDocument.Parse(string.Join('\n', process.Output));
        AssertShape(document.RootElement);
        var report = new DoctorReport(exitCode, document.RootElement.Clone());
        Assert.Equal(report.Findings.Any(static one => one.Level == "failed") ? 1 : 0, exitCode);
        return report;
    }

    /// <summary>
    /// As above, with a device that is there: on a machine that is far too busy it may not answer within its limits, which the doctor rightly tells. It is then
    /// asked again.
    /// </summary>
    public static async Task<DoctorReport> RunAnsweredAsync(Scenario scenario, IEnumerable<string> arguments)
    {
        for (int attempt = 1; ; attempt++)
        {
            DoctorReport report = await RunAsync(scenario, arguments);
            if (attempt == MaxAttempts || report.Findings.All(static one => one.Level != "failed"))
            {
                return report;
            }
        }
    }

    public DoctorFinding Only(string check) => Assert.Single(Findings, one => one.Check == check);

    public IEnumerable<DoctorFinding> All(string check) => Findings.Where(one => one.Check == check);

    /// <summary>What docs/doctor.md promises.</summary>
    private static void AssertShape(JsonElement document)
    {
        AssertMembers(document, "formatVersion", "program", "time", "result", "ok", "warning", "failed", "findings");
        Assert.Equal(1, document.GetProperty("formatVersion").GetInt32());
        Assert.Matches(@"^\d+\.\d+\.\d+$", document.GetProperty("program").GetString());
        Assert.Equal(DateTimeKind.Utc, document.GetProperty("time").GetDateTime().Kind);
        JsonElement[] findings = [.. document.GetProperty("findings").EnumerateArray()];
        Assert.NotEmpty(findings);
        foreach (JsonElement finding in findings)
        {
            AssertMembers(finding, "check", "subject", "level", "seen", "advice", "values");
            Assert.Matches("^[a-z]+(-[a-z]+)?$", finding.GetProperty("check").GetString());
            Assert.Contains(finding.GetProperty("level").GetString(), Levels);
            string seen = finding.GetProperty("seen").GetString()!;
            Assert.NotEqual("", seen);
            Assert.False(seen.EndsWith('.'), seen);
            Assert.Equal(JsonValueKind.Object, finding.GetProperty("values").ValueKind);
        }

        string[] levels = [.. findings.Select(static finding => finding.GetProperty("level").GetString()!)];
        Assert.All(Levels, level => Assert.Equal(levels.Count(one => one == level), document.GetProperty(level).GetInt32()));
        Assert.Equal(levels.MaxBy(static level => Array.IndexOf(Levels, level)), document.GetProperty("result").GetString());
    }

    private static void AssertMembers(JsonElement element, params string[] names) =>
        Assert.Equal(names, element.EnumerateObject().Select(static member => member.Name));
}

/// <summary>One of its findings.</summary>
internal sealed record DoctorFinding(string Check, string? Subject, string Level, string Seen, string? Advice, JsonElement Values);
