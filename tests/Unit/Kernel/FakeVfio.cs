using System.Runtime.InteropServices;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>
/// VFIO as a kernel has it: containers, groups, devices and their queues, with its states, orders and errors. Source: Linux drivers/vfio (vfio_main.c, group.c,
/// container.c, vfio_iommu_type1.c), and drivers/vfio/spimdev of WarpDrive's first series. What devices compute, the emulator's device code does.
/// </summary>
internal sealed class FakeVfio
{
    private readonly HashSet<string> _forbidden = [];

    public FakeVfio(FakeKernel kernel)
    {
        Kernel = kernel;
        AddNode("vfio", () => new FakeContainer(this));
    }

    public FakeKernel Kernel { get; }

    /// <summary>Bytes that devices may have mapped: RLIMIT_MEMLOCK.</summary>
    public long MemoryLimit { get; set; } = long.MaxValue;

    /// <summary>What CHECK_EXTENSION has.</summary>
    public HashSet<long> IommuTypes { get; } = [1, 3];

    /// <summary>What GET_API_VERSION says.</summary>
    public int ApiVersion { get; set; }

    /// <summary>Bytes of GET_INFO that this kernel fills: 16, 20 or 24.</summary>
    public int DeviceInfoBytes { get; set; } = 24;

    public void Add(FakeGroup group) => AddNode(group.Name, group.Open);

    /// <summary>This user may not open a file of /dev/vfio any more.</summary>
    public void Forbid(string name) => _forbidden.Add(name);

    /// <summary>The structure that an argument begins with; EINVAL when its argsz is less than what the kernel must have.</summary>
    public static T ReadArgument<T>(ReadOnlySpan<byte> argument, int least)
        where T : unmanaged
    {
        if (argument.Length < sizeof(uint) || MemoryMarshal.Read<uint>(argument) < least)
        {
            throw new LinuxException("ioctl", "fake: argsz", Errno.EINVAL);
        }

        Span<byte> whole = stackalloc byte[Marshal.SizeOf<T>()];
        whole.Clear();
        argument[..Math.Min(argument.Length, whole.Length)].CopyTo(whole);
        return MemoryMarshal.Read<T>(whole);
    }

    public static void WriteArgument<T>(Span<byte> argument, in T value, int bytes)
        where T : unmanaged =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value))[..Math.Min(bytes, argument.Length)].CopyTo(argument);

    /// <summary>A file in /dev/vfio, which can be seen as well as opened.</summary>
    private void AddNode(string name, Func<FakeFile> open)
    {
        string path = Kernel.Tree.Dev($"vfio/{name}");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        Kernel.AddNode($"vfio/{name}", () =>
            !File.Exists(path) ? throw new LinuxException("open", path, Errno.ENOENT)
            : _forbidden.Contains(name) ? throw new LinuxException("open", path, Errno.EACCES)
            : open());
    }
}
