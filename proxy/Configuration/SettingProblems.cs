using System.Text.RegularExpressions;

namespace WarpProxy.Configuration;

/// <summary>
/// All that is wrong with a configuration, so that it is told at once: a sentence each, with the path of the setting, the value seen and what is
/// allowed, and before it the line of the file or the variable where the setting stands. One thread.
/// </summary>
internal sealed partial class SettingProblems(IConfigurationRoot configuration)
{
    private readonly List<(int Line, string Text)> _problems = [];      // line of the file; 0 where there is none

    /// <summary>How many there are so far.</summary>
    public int Count => _problems.Count;

    /// <summary>A line for each, in the order of the file: <c>proxy.json:12: Offload:Depth is 300; it must be ...</c>.</summary>
    public IReadOnlyList<string> Lines => [.. _problems.OrderBy(static problem => problem.Line).Select(static problem => problem.Text)];

    /// <summary>Adds one.</summary>
    /// <param name="sentence">What is wrong.</param>
    /// <param name="path">The setting; left out: the first word of the sentence.</param>
    public void Add(string sentence, string? path = null)
    {
        (string? origin, int line) = FindOrigin(path ?? sentence.Split(' ')[0]);
        (int, string) problem = (line, origin is null ? sentence : $"{origin}: {sentence}");
        if (!_problems.Contains(problem))
        {
            _problems.Add(problem);     // listeners share files
        }
    }

    /// <summary>Adds one that the file has in a line.</summary>
    public void Add(SettingsFile file, int line, string sentence) => _problems.Add((line, $"{file.FilePath}:{line}: {sentence}"));

    /// <summary>Does one thing of a start, such as loading a file that a setting names; what it refuses is a problem, and the next thing can be tried.</summary>
    /// <param name="path">The setting or section that has it done; when the sentence quotes the value of another one, that is told.</param>
    /// <param name="attempt">Throws <see cref="BadInputException"/>, with a line for each problem.</param>
    public void Try(string path, Action attempt)
    {
        try
        {
            attempt();
        }
        catch (BadInputException exception)
        {
            foreach (string sentence in exception.Message.Split(Environment.NewLine))
            {
                Add(sentence, FindMentioned(path, sentence) ?? path);
            }
        }
    }

    /// <summary>Ends the start, or the check, when there is any.</summary>
    /// <exception cref="BadInputException">With all of them.</exception>
    public void ThrowIfAny()
    {
        if (Count > 0)
        {
            throw new BadInputException(string.Join(Environment.NewLine, Lines));
        }
    }

    /// <summary>The setting of which the sentence speaks: the first whose value it quotes, below the path if there is one.</summary>
    private string? FindMentioned(string path, string sentence) => Quoted().Matches(sentence)
        .Select(match => configuration.GetSection(path).AsEnumerable().Concat(configuration.AsEnumerable()).FirstOrDefault(setting => setting.Value == match.Groups[1].Value).Key)
        .FirstOrDefault(static key => key is not null);

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();

    /// <summary>Where a setting stands, or the section that it is missing from; null on the command line, or nowhere.</summary>
    private (string? Origin, int Line) FindOrigin(string path)
    {
        for (string? at = path; at is not null; at = ConfigurationPath.GetParentPath(at))
        {
            foreach (IConfigurationProvider provider in configuration.Providers.Reverse())
            {
                switch (provider)
                {
                    case SettingsFile file when file.FindLine(at) is { } line:
                        return ($"{file.FilePath}:{line}", line);
                    case EnvironmentSettings environment when environment.FindVariable(at) is { } variable:
                        return (variable, 0);
                    case not SettingsFile and not EnvironmentSettings when provider.TryGet(at, out _) || provider.GetChildKeys([], at).Any():
                        return (null, 0);
                }
            }
        }

        return (null, 0);
    }
}
