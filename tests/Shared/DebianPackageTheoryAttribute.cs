namespace WarpProxy.Tests;

/// <summary>As <see cref="DebianPackageFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DebianPackageTheoryAttribute : TheoryAttribute
{
    public DebianPackageTheoryAttribute(string package, string path)
    {
        Package = package;
        Path = path;
        Skip = DebianPackageFactAttribute.WhyNot(package, path);
    }

    public string Package { get; }

    public string Path { get; }
}
