using System.Globalization;
using System.Runtime.InteropServices;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>The memory of a process as debuggers take it: what a crash would leave on the disk, were all kinds of memory asked for.</summary>
internal static class CoreFile
{
    public const string Debugger = "/usr/bin/gcore";

    private const int BlockBytes = 4 << 20;
    private const int ProgramHeaderBytes = 56;
    private const uint Load = 1;

    /// <summary>Takes one of a process that goes on, and counts what is in it.</summary>
    public static async Task<CoreFindings> SearchAsync(Scenario scenario, RunningProcess process, SecretPatterns patterns)
    {
        // Also memory that files and other processes have; only what is excluded by itself stays away.
        await File.WriteAllTextAsync($"/proc/{process.Id}/coredump_filter", "0x7f");
        string path = scenario.File("core");
        ToolResult result = await Tool.RunAsync(Debugger, ["-o", path, process.Id.ToString(CultureInfo.InvariantCulture)], limit: TimeSpan.FromMinutes(3));
        path += $".{process.Id}";
        Assert.True(result.ExitCode == 0 && File.Exists(path), $"gcore: {result}");
        try
        {
            return Search(path, patterns);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static CoreFindings Search(string path, SecretPatterns patterns)
    {
        using FileStream file = File.OpenRead(path);
        var findings = new CoreFindings();
        byte[] block = new byte[BlockBytes];
        IReadOnlyList<(long Offset, long Length, ulong Address)> loads = ReadLoads(file);
        for (long start = 0; start < file.Length; start += BlockBytes - SecretPatterns.MaxSpanBytes)
        {
            file.Position = start;
            int length = file.ReadAtLeast(block, BlockBytes, throwOnEndOfStream: false);
            int end = start + length == file.Length ? length : BlockBytes - SecretPatterns.MaxSpanBytes;
            foreach ((int at, string name) in patterns.Find(block.AsSpan(0, length), end))
            {
                findings.Add(name, Where(loads, start + at));
            }
        }

        return findings;
    }

    private static List<(long Offset, long Length, ulong Address)> ReadLoads(FileStream file)
    {
        byte[] header = new byte[64];
        file.ReadExactly(header);
        ushort count = MemoryMarshal.Read<ushort>(header.AsSpan(56));
        byte[] table = new byte[count * ProgramHeaderBytes];
        file.Position = MemoryMarshal.Read<long>(header.AsSpan(32));
        file.ReadExactly(table);
        List<(long, long, ulong)> loads = [];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = table.AsSpan(i * ProgramHeaderBytes, ProgramHeaderBytes);
            if (MemoryMarshal.Read<uint>(entry) == Load)
            {
                loads.Add((MemoryMarshal.Read<long>(entry[8..]), MemoryMarshal.Read<long>(entry[32..]), MemoryMarshal.Read<ulong>(entry[16..])));
            }
        }

        return loads;
    }

    private static string Where(IReadOnlyList<(long Offset, long Length, ulong Address)> loads, long at)
    {
        foreach ((long offset, long length, ulong address) in loads)
        {
            if (at >= offset && at < offset + length)
            {
                return $"0x{address + (ulong)(at - offset):x}";
            }
        }

        return "registers of a thread";
    }
}

/// <summary>How often each pattern was found, and where first.</summary>
internal sealed class CoreFindings
{
    private readonly SortedDictionary<string, (int Count, string First)> _found = new(StringComparer.Ordinal);

    /// <summary>Lines like <c>old key p le +16: 2, first at 0x7f00</c>.</summary>
    public IReadOnlyList<string> Of(string secret) =>
        [.. _found.Where(one => one.Key.StartsWith(secret + " ", StringComparison.Ordinal)).Select(static one => $"{one.Key}: {one.Value.Count}, first at {one.Value.First}")];

    /// <summary>How often each part was found of all whose name begins so.</summary>
    public IReadOnlyDictionary<string, int> Counts(string secret) =>
        _found.Where(one => one.Key.StartsWith(secret + " ", StringComparison.Ordinal)).ToDictionary(static one => one.Key, static one => one.Value.Count);

    public void Add(string name, string where) => _found[name] = _found.TryGetValue(name, out (int Count, string First) one) ? one with { Count = one.Count + 1 } : (1, where);
}
