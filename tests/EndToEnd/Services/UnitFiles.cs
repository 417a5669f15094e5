using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Services;

/// <summary>The files of deploy/systemd.</summary>
internal static class UnitFiles
{
    public const string Analyze = "/usr/bin/systemd-analyze";
    public const string Package = "systemd";

    /// <summary>Where the units look for the programs.</summary>
    public const string Folder = "/opt/warpproxy";

    public static string Path(string name) => Executable.RepositoryFile($"deploy/systemd/{name}");

    /// <summary>The values of one setting of a unit, in their order.</summary>
    public static IReadOnlyList<string> Values(string unit, string setting) =>
        [.. File.ReadLines(Path(unit)).Where(line => line.StartsWith(setting + "=", StringComparison.Ordinal)).Select(line => line[(setting.Length + 1)..])];

    /// <summary>System calls that the filter of a unit lets through, by the sets of the systemd that is installed.</summary>
    public static async Task<IReadOnlySet<string>> AllowedCallsAsync(string unit)
    {
        ToolResult listed = await Tool.RunAsync(Analyze, ["syscall-filter", "--no-pager"]);
        Assert.True(listed.ExitCode == 0, listed.ToString());
        var sets = new Dictionary<string, List<string>>();
        List<string> current = [];
        foreach (string line in listed.Output.Split('\n'))
        {
            // A set, then its members, indented; at the end what is in no set, behind a line that begins with #.
            if (line.StartsWith('@'))
            {
                current = sets[line.Trim()] = [];
            }
            else if (line.StartsWith(' ') && !line.TrimStart().StartsWith('#'))
            {
                current.Add(line.Trim());
            }
            else if (line.StartsWith('#'))
            {
                current = [];
            }
        }

        HashSet<string> allowed = [];
        foreach (string value in Values(unit, "SystemCallFilter"))
        {
            IEnumerable<string> calls = value.TrimStart('~').Split(' ').SelectMany(Expand);
            if (value.StartsWith('~'))
            {
                allowed.ExceptWith(calls);
            }
            else
            {
                allowed.UnionWith(calls);
            }
        }

        return allowed;

        IEnumerable<string> Expand(string name) => name.StartsWith('@') ? sets[name].SelectMany(Expand) : [name];
    }
}
