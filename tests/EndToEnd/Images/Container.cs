using System.Globalization;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>
/// A program of an image, run as a container engine does: in the image's root, read-only; with the image's command, variables and user; the first process of its
/// own list; with nothing of this machine but the folders that are mounted. Its network is its own, and nobody else is in it.
/// </summary>
internal sealed class Container : IAsyncDisposable
{
    public const string Ip = "/usr/sbin/ip";

    private const string Nsenter = "/usr/bin/nsenter";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    // $1 root, then pairs of folder and mount point up to --, then the command. Of /dev what every engine gives.
    private const string Script = """
        set -e
        ip link set lo up
        root=$1; shift
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/dev"
        for device in null zero full random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
        while [ "$1" != -- ]; do mount --bind "$1" "$root/$2"; shift 2; done
        shift
        mount -o remount,bind,ro "$root"
        exec "$@"
        """;

    private readonly ImageConfiguration _image;
    private readonly RunningProcess _unshare;
    private readonly int? _processId;

    private Container(ImageConfiguration image, RunningProcess unshare, int? processId)
    {
        _image = image;
        _unshare = unshare;
        _processId = processId;
    }

    /// <summary>Of the program, outside.</summary>
    public int ProcessId => _processId ?? throw new InvalidOperationException("It ended before it was seen.");

    public RunningProcess Process => _unshare;

    /// <param name="scenario">Ends it.</param>
    /// <param name="root">The image's files.</param>
    /// <param name="image">What it says of itself.</param>
    /// <param name="mounts">Folders of this machine, and where they are seen.</param>
    /// <param name="environment">Besides the image's.</param>
    /// <param name="command">In place of the image's.</param>
    /// <param name="network">Another container whose network it shares.</param>
    public static async Task<Container> StartAsync(
        Scenario scenario, string root, ImageConfiguration image, IReadOnlyDictionary<string, string> mounts, IReadOnlyDictionary<string, string>? environment = null,
        string[]? command = null, Container? network = null)
    {
        RunningProcess unshare = scenario.Start(
            Nsenter,
            [
                $"--net=/proc/{network?.Id ?? "self"}/ns/net", "/usr/bin/unshare",
                .. network is null ? ["--net"] : (string[])[], "--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", Script, "sh", root,
                .. mounts.SelectMany(mount => new[] { mount.Key, mount.Value }), "--",
                "/usr/bin/env", "--ignore-environment", .. image.Env, .. (environment ?? new Dictionary<string, string>()).Select(one => $"{one.Key}={one.Value}"),
                "/usr/sbin/chroot", "--groups=", $"--userspec={image.User}", root, .. image.Entrypoint, .. command ?? image.Cmd,
            ]);
        string children = $"/proc/{unshare.Id}/task/{unshare.Id}/children";
        int? child = null;
        await Eventually.TrueAsync($"{image.Entrypoint[0]} is started", () =>
        {
            child = ReadNumber(children);
            return unshare.HasExited || (child is { } id && IsRunning(id, image.Entrypoint[0]));
        });

        // One that ends by itself may have ended before anybody looked.
        Assert.False(unshare.HasExited && await unshare.WaitForExitAsync(Limit) != 0, $"{image.Entrypoint[0]} was not started: {unshare.Transcript()}");
        return new Container(image, unshare, child);
    }

    /// <summary>Runs the image's health check, as an engine does: inside.</summary>
    public Task<ToolResult> CheckHealthAsync()
    {
        Assert.Equal("CMD", _image.Healthcheck!.Test[0]);
        (string user, string group) = _image.User.Split(':') is [var first, var second] ? (first, second) : throw new InvalidOperationException(_image.User);
        return Tool.RunAsync(
            Nsenter,
            [
                $"--target={Id}", "--mount", "--net", "--ipc", "--pid", "--root", "--wd", $"--setuid={user}", $"--setgid={group}", .. _image.Healthcheck.Test[1..],
            ],
            limit: Limit);
    }

    /// <summary>Runs a tool of this machine in the network of the program.</summary>
    public Task<ToolResult> RunBesideAsync(string tool, params string[] arguments) => Tool.RunAsync(Nsenter, [$"--target={Id}", "--net", tool, .. arguments], limit: Limit);

    /// <summary>Sends it the signal with which engines stop it.</summary>
    public void Stop()
    {
        Assert.Equal("SIGTERM", _image.StopSignal);
        Signals.Send(ProcessId, Signal.Terminate);
    }

    public void Kill() => Signals.Send(ProcessId, Signal.Kill);

    /// <summary>The program first: what unshare asks the kernel for, that it ends with its parent, was forgotten when it changed its user.</summary>
    public ValueTask DisposeAsync()
    {
        if (!_unshare.HasExited)
        {
            Kill();
        }

        return _unshare.DisposeAsync();
    }

    private string Id => ProcessId.ToString(CultureInfo.InvariantCulture);

    private static int? ReadNumber(string file)
    {
        try
        {
            return int.TryParse(File.ReadAllText(file), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int number) ? number : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsRunning(int processId, string program)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/cmdline").Split('\0')[0] == program;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
