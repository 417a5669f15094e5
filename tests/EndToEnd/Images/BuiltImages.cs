using System.Diagnostics;
using System.Globalization;
using System.Text;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>
/// The images of the Dockerfile, built once for all tests. Where WARP_IMAGES names a folder they stay there, and only what has changed is built again the next time.
/// </summary>
public sealed class BuiltImages : IAsyncLifetime
{
    private static readonly string[] Targets = ["emulator", "loadtest", "proxy"];

    private readonly StringBuilder _report = new();
    private DirectoryInfo? _folder;

    /// <summary>How long the builds took, and how large the results are.</summary>
    public string Report => _report.ToString();

    internal Buildah Buildah { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        if (ImageFactAttribute.WhyNot is not null)
        {
            return;
        }

        string? kept = Environment.GetEnvironmentVariable("WARP_IMAGES");
        _folder = kept is { Length: > 0 } ? null : Directory.CreateTempSubdirectory("warp-images-");
        string folder = _folder?.FullName ?? Directory.CreateDirectory(kept!).FullName;
        Buildah = new Buildah(folder);
        long start = Stopwatch.GetTimestamp();
        if (!(await Buildah.RunAsync("images")).Contains(LocalBases.AspNet, StringComparison.Ordinal))
        {
            await LocalBases.MakeAsync(Buildah, folder);
            Note($"base images: {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
        }

        foreach (string target in Targets)
        {
            start = Stopwatch.GetTimestamp();
            await Buildah.RunAsync(
            [
                "bud", "--isolation", "chroot", "--pull-never", "--layers", "--format", "docker", "--target", target, "--tag", $"localhost/{target}",
                "--build-arg", $"SDK_IMAGE={LocalBases.Sdk}", "--build-arg", $"RUNTIME_IMAGE={LocalBases.Runtime}", "--build-arg", $"ASPNET_IMAGE={LocalBases.AspNet}",
                .. LocalBases.Volumes.SelectMany(volume => new[] { "--volume", volume }),
                Executable.RepositoryFile(""),
            ]);
            Note($"{target}: built in {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s");
        }
    }

    public async Task DisposeAsync()
    {
        if (_folder is not null)
        {
            _folder.Delete(recursive: true);
        }
        else if (ImageFactAttribute.WhyNot is null)
        {
            await Buildah.RunAsync("rm", "--all");
        }
    }

    private void Note(FormattableString line) => _report.AppendLine(line.ToString(CultureInfo.InvariantCulture));
}
