using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>
/// Builds images without an engine, in a folder of its own: layers are plain folders there (driver vfs), so that nothing stays mounted.
/// </summary>
/// <param name="folder">For images and containers.</param>
internal sealed class Buildah(string folder)
{
    public const string Path = "/usr/bin/buildah";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    /// <summary>Runs a command to its end and returns its output without the line's end; asserts that it succeeded.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(
            Path,
            ["--root", System.IO.Path.Combine(folder, "root"), "--runroot", System.IO.Path.Combine(folder, "run"), "--storage-driver", "vfs", .. arguments],
            limit: Limit);
        Assert.True(result.ExitCode == 0, $"buildah {string.Join(' ', arguments)}: {result}");
        return result.Output.TrimEnd('\n');
    }

    /// <summary>A container of an image, and the folder that is its root.</summary>
    public async Task<string> MakeRootAsync(string image) => await RunAsync("mount", await RunAsync("from", "--pull-never", image));
}
