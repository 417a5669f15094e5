namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A test that needs a program of a Debian package; without it the test is skipped, by the package's name.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackagedFactAttribute : FactAttribute
{
    /// <param name="program">Its path.</param>
    /// <param name="package">What to install.</param>
    public PackagedFactAttribute(string program, string package)
    {
        Program = program;
        Package = package;
        Skip = File.Exists(program) ? null : $"needs the Debian package {package}";
    }

    public string Program { get; }

    public string Package { get; }
}
