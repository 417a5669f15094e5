using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Documents;

/// <summary>Commands within sentences, such as those that made the measured numbers: most would take minutes, so what is looked at is that program, verb and options exist.</summary>
public sealed partial class InlineCommandTests
{
    private static readonly Dictionary<string, string> Programs = new()
    {
        ["warpproxy"] = Executable.Proxy,
        ["warp-emulator"] = Executable.Emulator,
        ["warp-loadtest"] = Executable.LoadTest,
    };

    public static TheoryData<string> Commands() => new(Inline(Command()));

    public static TheoryData<string> Filters() => new(Inline(Filter()));

    [Theory, MemberData(nameof(Commands))]
    public async Task Program_verb_and_options_exist(string command)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] verb = [.. words.Skip(1).Take(1).Where(static word => char.IsAsciiLetterLower(word[0]))];
        ToolResult help = await Tool.RunAsync(Programs[words[0]], [.. verb, "--help"]);
        Assert.True(help.ExitCode == 0, help.ToString());
        Assert.All(verb, name => Assert.Matches($@"Usage:\s+{words[0]} {Regex.Escape(name)}\b", help.Output));
        Assert.All(words.Where(static word => word.StartsWith("--", StringComparison.Ordinal)), option => Assert.Matches($@"{option}(?![\w-])", help.Output));
    }

    [Theory, MemberData(nameof(Filters))]
    public void Tests_that_a_filter_chooses_exist(string filter) => Assert.Contains(
        Directory.EnumerateFiles(Executable.RepositoryFile("tests"), "*.cs", SearchOption.AllDirectories),
        path => path.Contains(filter, StringComparison.Ordinal));

    private static IEnumerable<string> Inline(Regex what) =>
        ((string[])["README.md", "accel/README.md", "emulator/README.md", "emulator/Engines/README.md"])
        .Select(static path => Executable.RepositoryFile(path))
        .Concat(Directory.EnumerateFiles(Executable.RepositoryFile("docs"), "*.md"))
        .SelectMany(path => what.Matches(File.ReadAllText(path)))
        .Select(static match => match.Groups[1].Value.Trim())
        .Distinct()
        .Order(StringComparer.Ordinal);

    // `A=B taskset -c 1 warp-loadtest verb --option value`, in one line or not
    [GeneratedRegex(@"`(?:[A-Z_a-z]+=\S+\s+|taskset -c \d+\s+)*((?:warp-loadtest|warpproxy|warp-emulator)(?:[ \n][^`]*)?)`")]
    private static partial Regex Command();

    [GeneratedRegex(@"dotnet test [^`\n]*--filter (\w+)")]
    private static partial Regex Filter();
}
