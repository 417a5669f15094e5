namespace WarpProxy.LoadTest.Servers;

/// <summary>Finds programs.</summary>
internal static class Executable
{
    // Where Debian puts servers, which is not on the PATH of everyone.
    private static readonly string[] SystemFolders = ["/usr/local/sbin", "/usr/sbin"];

    /// <summary>A program that is installed, or null.</summary>
    public static string? FindInstalled(string name) => FindInstalled(name, Environment.GetEnvironmentVariable("PATH") ?? "");

    /// <summary>As above, with the search path given.</summary>
    public static string? FindInstalled(string name, string searchPath) =>
        searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(SystemFolders)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    /// <summary>A program of this solution: beside this one, or where its own project puts it; null when it was not built.</summary>
    /// <param name="name">Of the program.</param>
    /// <param name="project">Folder of its project in the solution.</param>
    public static string? FindOwn(string name, string project) => FindOwn(name, project, new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')));

    /// <summary>As above, for a program in <paramref name="output"/>: <c>loadtest/bin/Release/net10.0</c>.</summary>
    public static string? FindOwn(string name, string project, DirectoryInfo output)
    {
        string? solution = output.Parent?.Parent?.Parent?.Parent?.FullName;
        string[] places =
        [
            Path.Combine(output.FullName, name),
            .. solution is null ? (string[])[] : [Path.Combine(solution, project, "bin", output.Parent!.Name, output.Name, name)],
        ];
        return places.FirstOrDefault(File.Exists);
    }
}
