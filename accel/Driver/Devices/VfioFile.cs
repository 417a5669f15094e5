using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>The files of VFIO in /dev/vfio: <c>vfio</c>, which makes containers, and one for each group.</summary>
internal static class VfioFile
{
    /// <summary>Opens one.</summary>
    /// <exception cref="LinuxException">It cannot be; the message says what is missing.</exception>
    public static FileDescriptor Open(IDeviceCalls calls, string path)
    {
        try
        {
            return calls.Open(path);
        }
        catch (LinuxException e) when (Explain(path, e.Error) is { } sentence)
        {
            throw LinuxException.Explained(sentence, e.Error);
        }
    }

    /// <summary>What is wrong when a file is absent.</summary>
    public static string Missing(string path) =>
        $"{path} does not exist (errno {Errno.ENOENT}): VFIO is not loaded, or this container was not given the file (modprobe vfio vfio_iommu_type1, and vfio_mdev where there is one; docker: --device).";

    private static string? Explain(string path, int error) => error switch
    {
        Errno.ENOENT or Errno.ENODEV or Errno.ENXIO => Missing(path),
        Errno.EACCES or Errno.EPERM => $"{path} may not be opened by this user (errno {error}): give it read and write permission (udev rule, chown).",
        Errno.EBUSY => $"{path} is open already (errno {error}): VFIO opens a group once, and another process, or another device of this one, has it.",
        _ => null,
    };
}
