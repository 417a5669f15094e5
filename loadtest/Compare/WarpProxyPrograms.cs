using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Compare;

/// <summary>The programs of this solution that a comparison starts.</summary>
/// <param name="Proxy">Path of <c>warpproxy</c>; null: it was not found.</param>
/// <param name="Emulator">Path of <c>warp-emulator</c>; null: it was not found.</param>
/// <param name="Device">As the proxy is told of it; <see cref="EmulatorOfItsOwn"/>: a warp-emulator that is started for it.</param>
internal sealed record WarpProxyPrograms(string? Proxy, string? Emulator, string Device)
{
    public const string Embedded = "embedded:";
    public const string EmulatorOfItsOwn = "emulator:";

    /// <summary>Whether a warp-emulator is started with the proxy, and counted with it.</summary>
    public bool IsEmulated => Device == EmulatorOfItsOwn;

    /// <summary>The given ones, else those that were built with this program.</summary>
    public static WarpProxyPrograms Find(string? proxy, string? emulator, string device) => new(
        proxy ?? Executable.FindOwn("warpproxy", "proxy"), emulator ?? Executable.FindOwn("warp-emulator", "emulator/Server"), device);

    /// <summary>Which one is missing, in one sentence; null when all are there.</summary>
    public string? FindObstacle() =>
        FindObstacle("warpproxy", Proxy, "--proxy") ?? (IsEmulated ? FindObstacle("warp-emulator", Emulator, "--emulator") : null);

    private static string? FindObstacle(string name, string? path, string option) =>
        path is null ? $"{name} was not found beside warp-loadtest nor in the output of its project; build it, or give its path with {option}."
        : File.Exists(path) ? null
        : $"{option} is {path}; there is no such file.";
}
