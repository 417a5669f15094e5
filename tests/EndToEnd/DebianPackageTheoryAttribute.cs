namespace WarpProxy.Tests.EndToEnd;

/// <summary>A theory that runs a tool of a Debian package; skipped, with the package's name, where it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DebianPackageTheoryAttribute : TheoryAttribute
{
    public DebianPackageTheoryAttribute(string package, string path)
    {
        Package = package;
        Path = path;
        if (!File.Exists(path))
        {
            Skip = $"needs the Debian package {package}";
        }
    }

    public string Package { get; }

    public string Path { get; }
}
