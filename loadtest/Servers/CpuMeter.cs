namespace WarpProxy.LoadTest.Servers;

/// <summary>The processor time of some processes and of all that they have started.</summary>
internal sealed class CpuMeter
{
    private readonly int[] _processes;

    /// <param name="roots">The processes; their descendants are those of now.</param>
    public CpuMeter(IEnumerable<int> roots)
    {
        _processes = [.. WithDescendants([.. roots], ProcessStat.ReadAll())];
    }

    /// <summary>The processes and their descendants, each once.</summary>
    public static IEnumerable<int> WithDescendants(IReadOnlyCollection<int> roots, IReadOnlyList<ProcessStat> all)
    {
        ILookup<int, int> children = all.ToLookup(static process => process.ParentId, static process => process.Id);
        var found = new HashSet<int>();
        var open = new Queue<int>(roots);
        while (open.TryDequeue(out int id))
        {
            if (found.Add(id))
            {
                foreach (int child in children[id])
                {
                    open.Enqueue(child);
                }
            }
        }

        return found;
    }

    /// <summary>So far, as exact as the kernel tells: 10 ms for each process.</summary>
    public TimeSpan Read() => _processes.Aggregate(TimeSpan.Zero, static (sum, id) => sum + (ProcessStat.Read(id)?.Cpu ?? TimeSpan.Zero));
}
