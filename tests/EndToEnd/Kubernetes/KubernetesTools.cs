using System.Runtime.InteropServices;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>What .ci/kubernetes/install installs.</summary>
internal static class KubernetesTools
{
    public const string Node = "/usr/bin/node";

    public static string Helm { get; } = Executable.RepositoryFile(".ci/kubernetes/bin/helm");

    public static string Kubectl { get; } = Executable.RepositoryFile(".ci/kubernetes/bin/kubectl");

    /// <summary>Reads and judges what Helm rendered, see there.</summary>
    public static string Manifests { get; } = Executable.RepositoryFile(".ci/kubernetes/manifests.mjs");

    /// <summary>Why tests are skipped; null when they are not.</summary>
    public static string? WhyNot { get; } =
        RuntimeInformation.OSArchitecture != Architecture.X64 ? "Helm comes for x86-64 here"
        : !File.Exists(Node) ? "needs node"
        : !File.Exists(Helm) || !File.Exists(Kubectl) ? "needs what .ci/kubernetes/install installs" : null;
}

/// <summary>A test that needs Helm and what belongs to it, and a tool of a Debian package perhaps; skipped, with what is missing, where they are not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KubernetesToolsFactAttribute : FactAttribute
{
    public KubernetesToolsFactAttribute(string? package = null, string? path = null)
    {
        (Package, Path) = (package, path);
        Skip = KubernetesTools.WhyNot ?? (path is null || System.IO.Path.Exists(path) ? null : $"needs the Debian package {package}");
    }

    public string? Package { get; }

    public string? Path { get; }
}

/// <summary>As <see cref="KubernetesToolsFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KubernetesToolsTheoryAttribute : TheoryAttribute
{
    public KubernetesToolsTheoryAttribute() => Skip = KubernetesTools.WhyNot;
}
