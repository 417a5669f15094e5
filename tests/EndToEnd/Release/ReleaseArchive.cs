using System.Runtime.InteropServices;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Release;

/// <summary>A release, made once for all tests of a class, and unpacked into an empty folder.</summary>
public sealed class ReleaseArchive : IAsyncLifetime
{
    // It compiles everything, and the machine may be busy with other tests.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-release-");

    /// <summary>Of this machine.</summary>
    public static string Runtime => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    /// <summary>The archive.</summary>
    public string Archive { get; private set; } = "";

    /// <summary>What it said while it was made.</summary>
    public string Transcript { get; private set; } = "";

    /// <summary>The one folder that is in it.</summary>
    public string Folder => Directory.EnumerateDirectories(Path.Combine(_directory.FullName, "unpacked")).Single();

    public async Task InitializeAsync()
    {
        ToolResult made = await Tool.RunAsync(
            "/bin/bash", [Executable.RepositoryFile("deploy/release/make"), "--runtime", Runtime, "--output", Path.Combine(_directory.FullName, "made")], limit: Limit);
        Transcript = made.ToString();
        Assert.True(made.ExitCode == 0, Transcript);
        Archive = made.Output.Trim().Split('\n')[^1];
        string unpacked = Directory.CreateDirectory(Path.Combine(_directory.FullName, "unpacked")).FullName;
        ToolResult unpack = await Tool.RunAsync("/usr/bin/tar", ["-xzf", Archive, "-C", unpacked], limit: Limit);
        Assert.True(unpack.ExitCode == 0, unpack.ToString());
    }

    public Task DisposeAsync()
    {
        _directory.Delete(recursive: true);
        return Task.CompletedTask;
    }
}
