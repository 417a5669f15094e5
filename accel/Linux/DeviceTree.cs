namespace WarpDrive.Linux;

/// <summary>Where a system shows its devices: the trees of files that are /dev and /sys, or others of the same shape.</summary>
/// <param name="DevDirectory">Has the devices' files; an absolute path.</param>
/// <param name="SysDirectory">Has the devices' attributes; an absolute path.</param>
public sealed record DeviceTree(string DevDirectory, string SysDirectory)
{
    /// <summary>Where the kernel shows them.</summary>
    public static DeviceTree Default { get; } = new("/dev", "/sys");

    /// <summary>The path of a device's file.</summary>
    /// <param name="name">Below the directory: <c>vfio/vfio</c>.</param>
    public string Dev(string name) => Path.Combine(DevDirectory, name);

    /// <summary>The path of a device's directory or attribute.</summary>
    /// <param name="name">Below the directory: <c>class/uacce</c>.</param>
    public string Sys(string name) => Path.Combine(SysDirectory, name);

    /// <summary>The names in a directory of <see cref="SysDirectory"/>, sorted; none when it cannot be read or is absent.</summary>
    /// <param name="name">Below the directory: <c>class/uacce</c>.</param>
    public IReadOnlyList<string> List(string name)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(Sys(name)).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The text of an attribute without the final line end; null when there is none, it may not be read, or its driver refuses.</summary>
    /// <param name="name">Below <see cref="SysDirectory"/>: <c>class/uacce/hisi_hpre-0/api</c>.</param>
    public string? TryRead(string name)
    {
        try
        {
            return File.ReadAllText(Sys(name)).TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
