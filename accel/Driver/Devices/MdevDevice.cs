using System.Text;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>
/// A mediated device (mdev) behind VFIO, as its queues share it: VFIO opens a group once, so that the first queue opens group, container and device, and the
/// last one closes them. Any thread may call any member.
/// </summary>
public sealed class MdevDevice
{
    private readonly DeviceTree _tree;
    private readonly string _uuid;
    private readonly Lock _gate = new();
    private OpenFiles? _files;      // under _gate, with the next
    private int _userCount;

    /// <summary>Nothing is opened yet; the device need not exist.</summary>
    /// <param name="calls">The kernel.</param>
    /// <param name="tree">Where its files are.</param>
    /// <param name="uuid">The device's name in small letters.</param>
    /// <param name="container">
    /// Its address space; null: one of its own. Devices of WarpDrive's first form in one container see one arena at the same addresses; those of the datasheet
    /// (accel/README.md) choose addresses themselves, so that each wants its own.
    /// </param>
    public MdevDevice(IDeviceCalls calls, DeviceTree tree, string uuid, VfioContainer? container = null)
    {
        Calls = calls;
        _tree = tree;
        _uuid = uuid;
        Container = container ?? new VfioContainer(calls, tree);
    }

    /// <summary>As configured.</summary>
    public string Uri => MdevDescription.Scheme + _uuid;

    /// <summary>Its address space.</summary>
    public VfioContainer Container { get; }

    /// <summary>The kernel.</summary>
    internal IDeviceCalls Calls { get; }

    /// <summary>The device's own file. Only for those that <see cref="OpenQueue"/> made, until they call <see cref="Release"/>.</summary>
    internal FileDescriptor File => _files!.Device;

    /// <summary>What the device's attributes said when it was opened. As <see cref="File"/>.</summary>
    internal MdevDescription Description => _files!.Description;

    /// <summary>Opens one queue.</summary>
    /// <param name="depth">Entries of each ring, where the device lets the host choose.</param>
    /// <exception cref="LinuxException">The device is absent, may not be used by this user, or has no queue left: the message is a sentence that says what is missing.</exception>
    /// <exception cref="AcceleratorException">It is something else than a device that this driver knows.</exception>
    public DeviceQueue OpenQueue(int depth)
    {
        lock (_gate)
        {
            int others = _userCount;
            Acquire();
            if (Description.IsSpimdev)
            {
                return SpimdevQueue.Open(this, others);
            }

            if (others == 0)
            {
                return EmulatedDevice.Open(new VfioDevice(this), depth);
            }

            Release();
            throw LinuxException.Explained($"Mediated device {_uuid} has one queue, which is open (errno {Errno.ENOSPC}).", Errno.ENOSPC);
        }
    }

    /// <summary>A queue is closed; the last closes the device.</summary>
    internal void Release()
    {
        lock (_gate)
        {
            if (--_userCount > 0)
            {
                return;
            }

            // The kernel keeps a group busy for as long as a device of it is open.
            Calls.Close(_files!.Device);
            Calls.Close(_files.Group);
            Container.Detach();
            _files = null;
        }
    }

    private void Acquire()
    {
        if (_userCount == 0)
        {
            MdevDescription description = MdevDescription.Read(_tree, _uuid);
            if (description.Obstacle is { } obstacle)
            {
                throw description.IsOfUnknownKind ? new AcceleratorException(obstacle) : LinuxException.Explained(obstacle, Errno.ENOENT);
            }

            _files = Open(description);
        }

        _userCount++;
    }

    /// <summary>The order of the calls is that of WarpDrive's first library: group, container, what translates addresses, device.</summary>
    private OpenFiles Open(MdevDescription description)
    {
        FileDescriptor group = VfioFile.Open(Calls, _tree.Dev($"vfio/{description.Group}"));
        bool isAttached = false;
        try
        {
            Container.Attach(group, description.Group, description.IommuType);
            isAttached = true;
            byte[] name = new byte[_uuid.Length + 1];
            Encoding.ASCII.GetBytes(_uuid, name);
            var device = new FileDescriptor(Calls.Control(group, VfioRequest.GroupGetDeviceFd, name, $"VFIO_GROUP_GET_DEVICE_FD, {_uuid}"));
            return new OpenFiles(group, device, description);
        }
        catch
        {
            Calls.Close(group);
            if (isAttached)
            {
                Container.Detach();
            }

            throw;
        }
    }

    private sealed record OpenFiles(FileDescriptor Group, FileDescriptor Device, MdevDescription Description);
}
