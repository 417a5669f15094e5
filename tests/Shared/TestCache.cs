using System.Runtime.CompilerServices;

namespace WarpProxy.Tests;

/// <summary>Where programs under test keep how fast their engines are, instead of in the user's own cache.</summary>
internal static class TestCache
{
    public static string Directory { get; } = Path.Combine(Path.GetTempPath(), $"warpproxy-tests-{Environment.UserName}");

    [ModuleInitializer]
    internal static void Use() => Environment.SetEnvironmentVariable("XDG_CACHE_HOME", Directory);
}
