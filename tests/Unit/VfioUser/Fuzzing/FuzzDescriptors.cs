using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser.Fuzzing;

/// <summary>The descriptors that fuzzed clients send, right and wrong, each made once. Where each of them is held in this process can be counted.</summary>
internal sealed class FuzzDescriptors : IDisposable
{
    private static int _count;

    private readonly Dictionary<string, FileDescriptor> _files = [];
    private readonly SharedMemory _memory;
    private readonly EventFd _eventFd = new();
    private readonly string[] _targets;

    public FuzzDescriptors()
    {
        // The name tells this one's files from those of tests that run at the same time.
        _memory = SharedMemory.Create($"fuzz-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}", 4 * 8192, secret: false);
        _files["memory"] = _memory.File;
        _files["eventfd"] = _eventFd.File;
        foreach (string kind in DescriptorZoo.Kinds.Except(["a socket that lingers", "a process"]))
        {
            if (DescriptorZoo.Catch(kind) is FileDescriptor file)
            {
                _files[kind] = file;
            }
        }

        _targets = [_memory.File.GetTarget(), .. Countable.Where(_files.ContainsKey).Select(kind => _files[kind].GetTarget())];
    }

    /// <summary>By name; a name with a comma would not do.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [.. DescriptorZoo.Kinds.Except(["a socket that lingers", "a process"]), "memory", "eventfd"];

    /// <summary>The eventfd, to be filled and emptied.</summary>
    public EventFd EventFd => _eventFd;

    /// <summary>Kinds of which each has a name of its own, so that copies of this very one can be counted.</summary>
    private static string[] Countable => ["the end of a pipe", "a socket"];

    /// <summary>The one of a name; null where the system has none.</summary>
    public FileDescriptor? this[string kind] => _files.GetValueOrDefault(kind);

    /// <summary>How many copies of each countable one this process holds; one is right. Mappings of the memory count too, and one is right.</summary>
    public IReadOnlyList<int> CountCopies()
    {
        string[] links = [.. Directory.EnumerateFiles("/proc/self/fd").Select(static link => new FileInfo(link).LinkTarget ?? "")];
        int mappings = File.ReadLines("/proc/self/maps").Count(line => line.EndsWith(_targets[0], StringComparison.Ordinal));
        return [.. _targets.Select(target => links.Count(link => link.EndsWith(target, StringComparison.Ordinal))), mappings];
    }

    public void Dispose()
    {
        foreach (FileDescriptor file in _files.Values)
        {
            file.Dispose();
        }

        _memory.Dispose();
        _eventFd.Dispose();
    }
}
