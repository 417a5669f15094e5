namespace WarpProxy.Tests;

/// <summary>A test that needs a file or tool of a Debian package; skipped, with the package's name, where it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DebianPackageFactAttribute : FactAttribute
{
    public DebianPackageFactAttribute(string package, string path)
    {
        Package = package;
        Path = path;
        Skip = WhyNot(package, path);
    }

    public string Package { get; }

    public string Path { get; }

    internal static string? WhyNot(string package, string path) => System.IO.Path.Exists(path) ? null : $"needs the Debian package {package}";
}
