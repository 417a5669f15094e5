using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Documents;

/// <summary>
/// A script that walks through a document: it lays out what the reader would have, types the document's commands as they stand there, and looks at what came of it. It runs
/// in namespaces of its own (users, mounts, network, processes), so that ports are those of the document, paths such as /etc/warpproxy and /tmp are its own, and nothing outlives it.
/// </summary>
internal static partial class Walk
{
    private const string Folder = "tests/EndToEnd/Documents/walks";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);  // README's may build everything a second time

    private static readonly (string Package, string Path)[] Needed =
        [("curl", "/usr/bin/curl"), ("iproute2", "/usr/sbin/ip"), ("jq", "/usr/bin/jq"), ("nginx", "/usr/sbin/nginx"), ("openssl", "/usr/bin/openssl"), ("systemd", "/usr/bin/systemd-analyze")];

    /// <summary>Why none can be made here; null: they can.</summary>
    public static string? WhyNot { get; } = FindObstacle();

    /// <summary>Path of the script for a document: <c>docs/ocsp.md</c> is walked by <c>docs-ocsp.sh</c>.</summary>
    public static string Script(string document) =>
        Executable.RepositoryFile(Path.Combine(Folder, $"{Path.ChangeExtension(document, null).Replace('/', '-')}.sh"));

    /// <summary>The commands that a script names: those it runs, and those that it says cannot be run here.</summary>
    public static IReadOnlyList<string> Named(string script) => [.. Number().Matches(File.ReadAllText(script)).Select(static match => match.Groups[1].Value).Distinct()];

    /// <summary>Runs it.</summary>
    public static async Task<ToolResult> RunAsync(string document)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("warp-walk-");
        try
        {
            string commands = folder.CreateSubdirectory("commands").FullName;
            foreach ((string number, string text) in DocumentCommands.Read(document).All)
            {
                await File.WriteAllTextAsync(Path.Combine(commands, number), text + "\n");
            }

            string programs = folder.CreateSubdirectory("bin").FullName;
            foreach (string program in (string[])[Executable.Proxy, Executable.Emulator, Executable.LoadTest])
            {
                File.CreateSymbolicLink(Path.Combine(programs, Path.GetFileName(program)), program);
            }

            return await Tool.RunAsync(
                "/usr/bin/env",
                [
                    "--default-signal=INT,TERM", $"WALK={folder.FullName}", $"REPOSITORY={Executable.RepositoryFile(".")}", $"DOCUMENT={Executable.RepositoryFile(document)}",
                    $"PATH={programs}:{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin",
                    "unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", "--ipc",
                    "bash", Executable.RepositoryFile(Path.Combine(Folder, "prelude")), Script(document),
                ],
                limit: Limit);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string? FindObstacle()
    {
        (string package, _) = Needed.FirstOrDefault(static one => !File.Exists(one.Path));
        if (package is not null)
        {
            return $"needs the Debian package {package}";
        }

        ToolResult attempt = Tool.RunAsync("/usr/bin/unshare", ["--user", "--map-root-user", "--mount", "--net", "true"]).GetAwaiter().GetResult();
        return attempt.ExitCode == 0 ? null : $"namespaces for users cannot be made here: {attempt.Error.Trim()}";
    }

    [GeneratedRegex(@"^\s*(?:run|run_at_last|serve|not_here)\s+([\d.]+)", RegexOptions.Multiline)]
    private static partial Regex Number();
}
