using System.Collections.Concurrent;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>
/// The kernel's side of device files: answers the system calls of <see cref="IDeviceCalls"/> as the drivers do that are cited where they are imitated, and
/// keeps a list of them. Has a /dev and a /sys of its own in a temporary directory.
/// </summary>
internal sealed class FakeKernel : IDeviceCalls, IDisposable
{
    private readonly ConcurrentDictionary<string, Func<FakeFile>> _nodes = [];
    private readonly ConcurrentDictionary<int, FakeFile> _files = [];
    private readonly ConcurrentDictionary<MappedMemory, FakeFile> _mappings = [];
    private readonly ConcurrentQueue<string> _calls = [];
    private readonly string _root = Directory.CreateTempSubdirectory("warp-kernel").FullName;

    public FakeKernel()
    {
        Tree = new DeviceTree(Path.Combine(_root, "dev"), Path.Combine(_root, "sys"));
        Directory.CreateDirectory(Tree.DevDirectory);
        Directory.CreateDirectory(Tree.SysDirectory);
    }

    public DeviceTree Tree { get; }

    /// <summary>The calls so far, in order: <c>ioctl UACCE_CMD_START_Q</c>; those that failed with their error number.</summary>
    public IReadOnlyList<string> Calls => [.. _calls];

    /// <summary>Descriptors that are open.</summary>
    public int OpenCount => _files.Count;

    /// <summary>Mappings that are there: owners of regions of VFIO unmap them without asking anybody.</summary>
    public int MappingCount => _mappings.Keys.Count(IsThere);

    /// <summary>Makes a file in /dev.</summary>
    public void AddNode(string name, Func<FakeFile> open) => _nodes[Tree.Dev(name)] = open;

    /// <summary>Takes it away; who has it open keeps it.</summary>
    public void RemoveNode(string name) => _nodes.TryRemove(Tree.Dev(name), out _);

    /// <summary>Writes a file of /sys, at once: a reader sees the old text or the new.</summary>
    public void WriteSys(string name, string text)
    {
        string path = Tree.Sys(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string next = $"{_root}/{Guid.NewGuid():n}";
        File.WriteAllText(next, text + "\n");
        File.Move(next, path, overwrite: true);
    }

    /// <summary>A descriptor of a file; the number is a real one, so that nothing else in the process has it.</summary>
    public int Install(FakeFile file)
    {
        FileDescriptor token = KernelDeviceCalls.Instance.Open("/dev/null");
        int number = token.Number;
        token.SetHandleAsInvalid();
        _files[number] = file;
        return number;
    }

    /// <summary>What is behind a descriptor that another call names by its number.</summary>
    public FakeFile? FindFile(int number) => _files.GetValueOrDefault(number);

    public FileDescriptor Open(string path) => Told(
        $"open {Path.GetRelativePath(Tree.DevDirectory, path)}",
        () => new FileDescriptor(Install(_nodes.TryGetValue(path, out Func<FakeFile>? open) ? open() : throw new LinuxException("open", path, Errno.ENOENT))));

    public int Control(FileDescriptor file, uint request, Span<byte> argument, string name)
    {
        try
        {
            int result = Find(file).Control(request, argument);
            _calls.Enqueue($"ioctl {name}");
            return result;
        }
        catch (LinuxException e)
        {
            _calls.Enqueue($"ioctl {name} errno {e.Error}");
            throw;
        }
    }

    public int ControlByValue(FileDescriptor file, uint request, long argument, string name) =>
        Told($"ioctl {name} {argument}", () => Find(file).ControlByValue(request, argument));

    public void Read(FileDescriptor file, long offset, Span<byte> data) => Find(file).Read(offset, data);

    public void Write(FileDescriptor file, long offset, ReadOnlySpan<byte> data) => Find(file).Write(offset, data);

    public MappedMemory Map(FileDescriptor file, long offset, int length) => Told($"mmap {length} at {offset}", () =>
    {
        FakeFile of = Find(file);
        MappedMemory memory = of.Map(offset, length);
        _mappings[memory] = of;
        return memory;
    });

    public bool WaitReadable(FileDescriptor file, TimeSpan timeout) => Find(file).Wait(timeout);

    public void Unmap(MappedMemory memory)
    {
        _calls.Enqueue($"munmap {memory.Length}");
        if (!_mappings.TryRemove(memory, out FakeFile? file))
        {
            throw new InvalidOperationException("It is not mapped.");
        }

        file.Unmapped(memory);
        memory.Dispose();
    }

    public void Close(FileDescriptor file)
    {
        _calls.Enqueue("close");
        if (!_files.TryRemove(file.Number, out FakeFile? closed))
        {
            throw new InvalidOperationException("It is not open.");
        }

        closed.Dispose();
        file.Dispose();
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static bool IsThere(MappedMemory memory)
    {
        try
        {
            return memory.Address != 0;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private FakeFile Find(FileDescriptor file) =>
        _files.TryGetValue(file.Number, out FakeFile? open) ? open : throw new LinuxException("fake", $"descriptor {file.Number}", Errno.EBADF);

    private T Told<T>(string call, Func<T> make)
    {
        try
        {
            T result = make();
            _calls.Enqueue(call);
            return result;
        }
        catch (LinuxException e)
        {
            _calls.Enqueue($"{call} errno {e.Error}");
            throw;
        }
    }
}
