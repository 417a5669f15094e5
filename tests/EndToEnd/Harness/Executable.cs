namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>Paths of the programs that the solution builds, in the configuration of these tests.</summary>
internal static class Executable
{
    // tests/EndToEnd/bin/Release/net10.0/
    private static readonly DirectoryInfo Output = new(AppContext.BaseDirectory.TrimEnd('/'));

    public static string Proxy { get; } = Find("proxy", "warpproxy");

    public static string Emulator { get; } = Find("emulator/Server", "warp-emulator");

    public static string LoadTest { get; } = Find("loadtest", "warp-loadtest");

    /// <summary>A file of the repository.</summary>
    public static string RepositoryFile(string path) => Path.Combine(Output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName, path);

    private static string Find(string project, string name) =>
        Path.Combine(RepositoryFile(project), "bin", Output.Parent!.Name, Output.Name, name);
}
