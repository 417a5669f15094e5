using System.Globalization;

namespace WarpProxy.Doctor;

/// <summary>A process that listens on a port.</summary>
/// <param name="ProcessId">0 when it is another user's, and cannot be told.</param>
/// <param name="Name">Of its program; empty when it cannot be told.</param>
internal sealed record PortHolder(int ProcessId, string Name)
{
    private const int LocalAddressColumn = 1;
    private const int StateColumn = 3;
    private const int InodeColumn = 9;
    private const string Listening = "0A";      // TCP_LISTEN, include/net/tcp_states.h

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Whether it is a proxy like this one: the same program.</summary>
    public bool IsProxy => ProcessId != Environment.ProcessId && ProcessId != 0 && Name == ReadName(Environment.ProcessId);

    /// <summary>For people: <c>nginx (process 4711)</c>.</summary>
    public override string ToString() => ProcessId == 0
        ? "a process that this user may not see"
        : string.Create(CultureInfo.InvariantCulture, $"{Name} (process {ProcessId})");

    /// <summary>Finds it; null when nobody in sight listens there.</summary>
    public static PortHolder? Find(int port)
    {
        HashSet<string> sockets = [.. Tables.SelectMany(Lines).SelectMany(line => ParseInode(line, port)).Select(static inode => $"socket:[{inode}]")];
        if (sockets.Count == 0)
        {
            return null;
        }

        foreach (string folder in Enumerate(static () => Directory.EnumerateDirectories("/proc")))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                && Enumerate(() => Directory.EnumerateFileSystemEntries(Path.Combine(folder, "fd"))).Any(descriptor => sockets.Contains(ReadLink(descriptor))))
            {
                return new PortHolder(id, ReadName(id));
            }
        }

        return new PortHolder(0, "");
    }

    /// <summary>The inode of a listening socket out of a line of /proc/net/tcp: <c>sl local_address rem_address st ... inode</c>.</summary>
    internal static IEnumerable<string> ParseInode(string line, int port)
    {
        string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (columns.Length > InodeColumn && columns[StateColumn] == Listening
            && columns[LocalAddressColumn].EndsWith(string.Create(CultureInfo.InvariantCulture, $":{port:X4}"), StringComparison.Ordinal))
        {
            yield return columns[InodeColumn];
        }
    }

    private static string ReadName(int processId) =>
        Lines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/comm")).FirstOrDefault() ?? "";

    private static string ReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? "";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string[] Lines(string path) => [.. Enumerate(() => File.ReadLines(path))];

    /// <summary>What is there now; processes end, and some are other users'.</summary>
    private static string[] Enumerate(Func<IEnumerable<string>> read)
    {
        try
        {
            return [.. read()];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
