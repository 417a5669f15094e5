using System.Runtime.InteropServices;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>
/// Base images for the Dockerfile, made of what this machine has, since no registry may be within reach: for the results the files of Debian's libraries and .NET's
/// runtime, alike to the chiseled images; for the build nothing but a skeleton, into which the machine's /usr is mounted.
/// </summary>
internal static class LocalBases
{
    public const string Sdk = "localhost/sdk";
    public const string Runtime = "localhost/runtime";
    public const string AspNet = "localhost/aspnet";

    // What Ubuntu's slices of the chiseled images are made from.
    private static readonly string[] Libraries = ["libc6", "libgcc-s1", "libssl3", "libstdc++6"];

    // /usr/share/dotnet/shared/Microsoft.NETCore.App/10.0.0/
    private static readonly string DotNet = Directory.GetParent(RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/'))!.Parent!.Parent!.FullName;

    /// <summary>Folders of this machine that the build has to see.</summary>
    public static IEnumerable<string> Volumes
    {
        get
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(home, ".nuget/packages");
            string configuration = Path.Combine(home, ".nuget/NuGet");
            yield return "/usr:/usr:ro";
            yield return $"{DotNet}:/dotnet:ro";
            yield return "/etc/ssl:/etc/ssl:ro";
            yield return $"{packages}:/root/.nuget/packages";
            if (Directory.Exists(configuration))
            {
                yield return $"{configuration}:/root/.nuget/NuGet:ro";
            }
        }
    }

    /// <summary>Makes all three.</summary>
    public static async Task MakeAsync(Buildah buildah, string folder)
    {
        string sdk = Skeleton(Path.Combine(folder, "sdk"), "etc/ssl", "root/.nuget/NuGet", "root/.nuget/packages", "dotnet", "usr");

        // NuGet asks who it is, and asks again until it is told.
        await File.WriteAllTextAsync(Path.Combine(sdk, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(sdk, "etc/group"), "root:x:0:\n");
        await MakeSdkAsync(buildah, sdk);

        string runtime = Skeleton(Path.Combine(folder, "runtime"), "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/share/dotnet/shared");
        await CopyAsync(
            $"dpkg-query --listfiles {string.Join(' ', Libraries)} | grep -E '^(/usr)?/lib(64)?/' | sort --unique"
            + " | tar --create --file=- --no-recursion --files-from=- --directory=/ 2> /dev/null | tar --extract --keep-directory-symlink --directory=\"$1\"",
            runtime);
        await CopyAsync("mkdir --parents \"$1/etc/ssl/certs\" && cp /etc/ssl/certs/ca-certificates.crt \"$1/etc/ssl/certs/\"", runtime);
        await CopyAsync($"cp --archive '{DotNet}/dotnet' '{DotNet}/host' \"$1/usr/share/dotnet/\" && cp --archive '{DotNet}/shared/Microsoft.NETCore.App' \"$1/usr/share/dotnet/shared/\"", runtime);
        string container = await buildah.RunAsync("from", "scratch");
        await buildah.RunAsync("copy", container, runtime, "/");
        await buildah.RunAsync("commit", "--rm", container, Runtime);

        container = await buildah.RunAsync("from", "--pull-never", Runtime);
        await buildah.RunAsync("copy", container, Path.Combine(DotNet, "shared/Microsoft.AspNetCore.App"), "/usr/share/dotnet/shared/Microsoft.AspNetCore.App");
        await buildah.RunAsync("commit", "--rm", container, AspNet);
    }

    private static async Task MakeSdkAsync(Buildah buildah, string root)
    {
        string container = await buildah.RunAsync("from", "scratch");
        await buildah.RunAsync("copy", container, root, "/");

        // Commands of the build end with it: neither MSBuild's nodes nor the compiler's server stay.
        Dictionary<string, string> variables = new()
        {
            ["PATH"] = "/dotnet:/usr/sbin:/usr/bin:/sbin:/bin", ["HOME"] = "/root", ["DOTNET_NOLOGO"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
            ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0", ["UseSharedCompilation"] = "false",
        };
        foreach (string name in new[] { "NUGET_CERT_REVOCATION_MODE", "SSL_CERT_FILE" })
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                variables[name] = value;
            }
        }

        await buildah.RunAsync(["config", .. variables.SelectMany(variable => new[] { "--env", $"{variable.Key}={variable.Value}" }), container]);
        await buildah.RunAsync("commit", "--rm", container, Sdk);
    }

    /// <summary>The folders that every root has; programs and libraries are below usr.</summary>
    private static string Skeleton(string root, params string[] folders)
    {
        foreach (string folder in folders.Concat(["dev", "etc", "proc", "run", "sys", "tmp", "var/cache", "var/lib"]))
        {
            Directory.CreateDirectory(Path.Combine(root, folder));
        }

        File.SetUnixFileMode(Path.Combine(root, "tmp"), (UnixFileMode)0b1_111_111_111);
        foreach (string folder in new[] { "bin", "lib", "lib64", "sbin" })
        {
            File.CreateSymbolicLink(Path.Combine(root, folder), $"usr/{folder}");
        }

        return root;
    }

    /// <summary>Runs a line of shell whose first argument is a root.</summary>
    private static async Task CopyAsync(string line, string root)
    {
        ToolResult result = await Tool.RunAsync("/bin/bash", ["-c", $"set -e; {line}", "bash", root], limit: TimeSpan.FromMinutes(5));
        Assert.True(result.ExitCode == 0, $"{line}: {result}");
    }
}
