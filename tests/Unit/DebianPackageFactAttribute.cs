namespace WarpProxy.Tests.Unit;

/// <summary>A test that reads files of a Debian package; skipped, with the package's name, where they are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DebianPackageFactAttribute : FactAttribute
{
    public DebianPackageFactAttribute(string package, string path)
    {
        Package = package;
        Path = path;
        if (!System.IO.Path.Exists(path))
        {
            Skip = $"needs the Debian package {package}";
        }
    }

    public string Package { get; }

    public string Path { get; }
}
