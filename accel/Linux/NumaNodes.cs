using System.Globalization;

namespace WarpDrive.Linux;

/// <summary>
/// How far the memory nodes of the machine are from its processors (/sys/devices/system/node, the distances of the firmware's SLIT: 10 is the same node).
/// </summary>
public sealed class NumaNodes
{
    private const string NodesDirectory = "devices/system/node";
    private const int SameNode = 10;

    private readonly Dictionary<int, int> _nodeOfProcessor = [];
    private readonly Dictionary<int, int[]> _distances = [];    // by node: to each node, in the order of _order
    private readonly List<int> _order = [];

    private NumaNodes()
    {
    }

    /// <summary>Reads what the system says; where it says nothing, all is near.</summary>
    public static NumaNodes Read(DeviceTree tree)
    {
        ArgumentNullException.ThrowIfNull(tree);
        var nodes = new NumaNodes();
        foreach (string name in tree.List(NodesDirectory))
        {
            if (!name.StartsWith("node", StringComparison.Ordinal) || !int.TryParse(name.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int node))
            {
                continue;
            }

            foreach (int processor in ParseList(tree.TryRead($"{NodesDirectory}/{name}/cpulist") ?? ""))
            {
                nodes._nodeOfProcessor[processor] = node;
            }

            nodes._distances[node] = [.. (tree.TryRead($"{NodesDirectory}/{name}/distance") ?? "")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(static text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int distance) ? distance : SameNode)];
            nodes._order.Add(node);
        }

        nodes._order.Sort();
        return nodes;
    }

    /// <summary>How far a node is on average.</summary>
    /// <param name="node">-1, which the kernel says where it does not know: as near as can be.</param>
    /// <param name="processors">From which.</param>
    public double DistanceOf(int node, IReadOnlyCollection<int> processors)
    {
        ArgumentNullException.ThrowIfNull(processors);
        int column = _order.IndexOf(node);
        return column < 0 || processors.Count == 0 ? SameNode : processors.Average(processor => Distance(processor, column));
    }

    private int Distance(int processor, int column) =>
        _nodeOfProcessor.TryGetValue(processor, out int from) && _distances[from] is { } row && column < row.Length ? row[column] : SameNode;

    /// <summary>As the kernel writes processors: <c>0-3,8,10-11</c>.</summary>
    private static IEnumerable<int> ParseList(string text)
    {
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = part.Split('-');
            if (int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first)
                && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last) && last < CpuAffinity.MaxProcessors)
            {
                for (int processor = first; processor <= last; processor++)
                {
                    yield return processor;
                }
            }
        }
    }
}
