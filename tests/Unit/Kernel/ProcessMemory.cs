using System.Globalization;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>
/// The page tables of this process, for a device that uses them: which file in memory is mapped at an address. What the process has mapped in any other way
/// is out of its reach here.
/// </summary>
internal static class ProcessMemory
{
    /// <summary>The whole mapping at an address: its parts with different protection or locks are one. Null: no file in memory.</summary>
    public static (ulong Start, ulong SizeBytes, ulong FileOffset, FileDescriptor File)? Find(ulong address)
    {
        List<Area> areas = [.. File.ReadLines("/proc/self/maps").Select(Parse).OfType<Area>()];
        int at = areas.FindIndex(area => address >= area.Start && address < area.End);
        if (at < 0)
        {
            return null;
        }

        int first = at;
        while (first > 0 && areas[first - 1].Continues(areas[first]))
        {
            first--;
        }

        int last = at;
        while (last + 1 < areas.Count && areas[last].Continues(areas[last + 1]))
        {
            last++;
        }

        return OpenFile(areas[at].Inode) is { } file ? (areas[first].Start, areas[last].End - areas[first].Start, areas[first].Offset, file) : null;
    }

    /// <summary>Another descriptor of a file that this process has open.</summary>
    private static FileDescriptor? OpenFile(ulong inode)
    {
        foreach (string path in Directory.GetFiles("/proc/self/fd"))
        {
            if (new FileInfo(path).LinkTarget is { } target && target.StartsWith("/memfd:", StringComparison.Ordinal) && IsOf(inode, path) && TryOpen(path) is { } file)
            {
                // The number may have been another file's by then: copies of a descriptor come and go, and whoever opens something has their numbers next.
                if (IsOf(inode, $"/proc/self/fd/{file.Number}"))
                {
                    return file;
                }

                file.Dispose();
            }
        }

        return null;
    }

    private static bool IsOf(ulong inode, string path) => FileStamp.TryRead(path, out FileStamp stamp) && stamp.Inode == inode;

    private static FileDescriptor? TryOpen(string path)
    {
        try
        {
            return KernelDeviceCalls.Instance.Open(path);
        }
        catch (LinuxException)
        {
            // Closed since it was looked at.
            return null;
        }
    }

    /// <summary>A line of /proc/PID/maps, proc(5): addresses, protection, offset, device, inode, path. Null unless it is a shared mapping of a file in memory.</summary>
    private static Area? Parse(string line)
    {
        string[] fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 6 || fields[1][3] != 's' || !fields[5].StartsWith("/memfd:", StringComparison.Ordinal))
        {
            return null;
        }

        string[] ends = fields[0].Split('-');
        return new Area(Hex(ends[0]), Hex(ends[1]), Hex(fields[2]), ulong.Parse(fields[4], CultureInfo.InvariantCulture));
    }

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private sealed record Area(ulong Start, ulong End, ulong Offset, ulong Inode)
    {
        public bool Continues(Area next) => next.Inode == Inode && next.Start == End && next.Offset == Offset + (End - Start);
    }
}
