using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace WarpProxy.Tests.Unit.Documents;

/// <summary>The operations guide and the security model name what there is.</summary>
public sealed partial class OperationsDocumentTests
{
    [Fact]
    public void Every_alert_has_a_row_in_the_failure_table()
    {
        string[] alerts = [.. Alert().Matches(Read("charts/prometheus/alerts.yml")).Select(static match => match.Groups[1].Value)];
        Assert.NotEmpty(alerts);
        Assert.Equal(alerts.Order(), AlertRow().Matches(Read("docs/operations.md")).Select(static match => match.Groups[1].Value).Order());
    }

    [Fact]
    public void What_the_security_model_is_shown_by_exists()
    {
        string tests = string.Join('\n', Directory.EnumerateFileSystemEntries(Path.Combine(Repository(), "tests"), "*", SearchOption.AllDirectories)
            .Where(static path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)));
        string[] shown = [.. Row().Matches(Read("docs/security.md")).SelectMany(static match => match.Groups[1].Value.Split(", ")).Where(static name => name.Length > 0 && name[0] != '`')];
        Assert.True(shown.Length > 15, "the column was not found");
        Assert.All(shown, name => Assert.True(
            Regex.IsMatch(tests, $@"/{name}(\.cs)?$", RegexOptions.Multiline), $"tests/ has neither a folder nor a file {name}"));
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository(), path));

    private static string Repository() => Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../..");

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"^\s*- alert: (\w+)", RegexOptions.Multiline)]
    private static partial Regex Alert();

    [GeneratedRegex(@"^\| `(WarpProxy[A-Z]\w+)`", RegexOptions.Multiline)]
    private static partial Regex AlertRow();

    // The third column of tables whose heading has it; headings and rules are no rows.
    [GeneratedRegex(@"^\| (?:use|answer|write|with SVA|without SVA|tell|refuse|take|send|exhaust|find|connect|open|make|end|show)[^|]* \|[^|]*\| ([^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
