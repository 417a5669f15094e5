using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using WarpProxy.Telemetry;

namespace WarpProxy.Tests.Unit.Documents;

/// <summary>Programs, images, chart and change log have one version.</summary>
public sealed class ReleaseVersionTests
{
    [Theory]
    [InlineData("Directory.Build.props", @"<Version>([^<]+)</Version>", 1)]
    [InlineData("CHANGELOG.md", @"^## \[?(\d+\.\d+\.\d+)", 1)]
    [InlineData("charts/warpproxy/Chart.yaml", @"^(?:appVersion|version): ""?([^""\s]+)", 2)]
    [InlineData("Dockerfile", @"^ARG VERSION=(\S+)", 3)]
    [InlineData("docker-compose.yml", @"image: warp(?:proxy|-\w+):(\S+)", 3)]
    public void Every_file_has_the_version_of_the_programs(string file, string pattern, int atLeast)
    {
        string[] versions = [.. Regex.Matches(File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../..", file)), pattern, RegexOptions.Multiline).Select(static match => match.Groups[1].Value)];
        Assert.True(versions.Length >= atLeast, $"{file} has {versions.Length} versions");
        string program = typeof(ProxyTelemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

        // The change log's first is the newest.
        Assert.All(file == "CHANGELOG.md" ? versions[..1] : versions, version => Assert.Equal(program, version));
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
