using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Documents;

/// <summary>What a document tells its reader to type: the commands of its blocks of <c>sh</c>, numbered <c>block.command</c> from 1.1.</summary>
internal sealed partial class DocumentCommands
{
    private readonly SortedDictionary<(int Block, int Command), string> _commands = [];

    private DocumentCommands(string document)
    {
        string text = File.ReadAllText(Executable.RepositoryFile(document));
        foreach ((int block, Match match) in Block().Matches(text).Index())
        {
            // A transcript: what follows $ is typed, the rest is answered.
            string typed = match.Groups[1].Value;
            if (typed.StartsWith("$ ", StringComparison.Ordinal))
            {
                typed = string.Join('\n', typed.Split('\n').Where(static line => line.StartsWith("$ ", StringComparison.Ordinal)).Select(static line => line[2..]));
            }

            int command = 0;
            foreach (Match one in Command().Matches(typed))
            {
                _commands[(block + 1, ++command)] = one.Value.Trim();
            }
        }
    }

    /// <summary>Keyed by number, such as <c>2.1</c>.</summary>
    public IEnumerable<(string Number, string Text)> All => _commands.Select(static one => ($"{one.Key.Block}.{one.Key.Command}", one.Value));

    /// <summary>All documents of the repository that have such commands, by their paths.</summary>
    public static IEnumerable<string> Documents() =>
        ((string[])["README.md", "accel/README.md", "emulator/README.md", "emulator/Engines/README.md"])
        .Concat(Files("docs"))
        .Concat(Files("charts"))
        .Concat(Files("deploy"))
        .Where(static document => Read(document).All.Any());

    public static DocumentCommands Read(string document) => new(document);

    private static IEnumerable<string> Files(string folder)
    {
        string root = Executable.RepositoryFile(folder);
        return Directory.Exists(root)
            ? Directory.EnumerateFiles(root, "*.md", SearchOption.AllDirectories).Select(path => Path.Combine(folder, Path.GetRelativePath(root, path))).Order(StringComparer.Ordinal)
            : [];
    }

    [GeneratedRegex(@"^```sh\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    // A line, with those that it is continued by (a backslash, && or | at its end). Lines of comment alone are none.
    [GeneratedRegex(@"^(?!\s*#)(?:[^\n]*(?:\\|&&|\|)[ ]*\n)*[^\n]*\S[^\n]*$", RegexOptions.Multiline)]
    private static partial Regex Command();
}
