using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace WarpProxy.Tests.Unit.Documents;

/// <summary>Links between the documents lead somewhere.</summary>
public sealed partial class LinkTests
{
    private static readonly string Repository = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../.."));

    public static TheoryData<string> Documents() => new(
        new[] { "docs", "charts", "deploy", "accel", "emulator" }
            .Select(static folder => Path.Combine(Repository, folder))
            .Where(Directory.Exists)
            .SelectMany(static folder => Directory.EnumerateFiles(folder, "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repository, "*.md"))
            .Where(static path => !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal))
            .Select(static path => Path.GetRelativePath(Repository, path))
            .Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Documents))]
    public void Every_link_leads_to_a_file_and_a_heading(string document)
    {
        string path = Path.Combine(Repository, document);
        string text = Fence().Replace(File.ReadAllText(path), "");
        foreach (Match link in Link().Matches(text))
        {
            (string target, string heading) = (link.Groups["path"].Value, link.Groups["heading"].Value);
            string file = target.Length == 0 ? path : Path.Combine(Path.GetDirectoryName(path)!, target);
            Assert.True(Path.Exists(file), $"{document} links to {target}, which does not exist");
            if (heading.Length > 0)
            {
                string[] headings = [.. Heading().Matches(Fence().Replace(File.ReadAllText(file), "")).Select(static match => Anchor(match.Groups[1].Value))];
                Assert.True(headings.Contains(heading), $"{document} links to {target}#{heading}; there are {string.Join(", ", headings)}");
            }
        }
    }

    // As GitHub makes them: small letters, spaces as hyphens, and nothing but letters, digits, hyphens and underscores.
    private static string Anchor(string heading) => NotInAnchor().Replace(heading.Trim().ToLowerInvariant().Replace(' ', '-'), "");

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?!\w+:)(?<path>[^)#\s]*)(?:#(?<heading>[^)\s]*))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w-]")]
    private static partial Regex NotInAnchor();
}
