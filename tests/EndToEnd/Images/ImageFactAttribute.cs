namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>A test that builds images and runs them; skipped, with what is missing, where that cannot be done.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageFactAttribute : FactAttribute
{
    public ImageFactAttribute() => Skip = WhyNot;

    /// <summary>Why images cannot be built here; null when they can.</summary>
    public static string? WhyNot { get; } =
        !File.Exists(Buildah.Path) ? "needs the Debian package buildah"
        : !File.Exists(Container.Ip) ? "needs the Debian package iproute2"
        : Environment.IsPrivilegedProcess ? null
        : "needs to be run as root";
}
