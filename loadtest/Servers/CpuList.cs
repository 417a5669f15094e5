using System.Globalization;
using WarpDrive.Linux;

namespace WarpProxy.LoadTest.Servers;

/// <summary>Processors by number, in order and each once.</summary>
internal sealed class CpuList(IEnumerable<int> processors)
{
    public IReadOnlyList<int> Processors { get; } = [.. processors.Distinct().Order()];

    /// <summary>Takes numbers and ranges as taskset(1) does, <c>0,2-3</c>; null when it is something else.</summary>
    public static CpuList? Parse(string text)
    {
        var processors = new List<int>();
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryParse(ends[0], out int first) || !TryParse(ends[^1], out int last) || first > last)
            {
                return null;
            }

            processors.AddRange(Enumerable.Range(first, last - first + 1));
        }

        return new CpuList(processors);
    }

    /// <summary>With commas between: <c>0,2,3</c>.</summary>
    public override string ToString() => string.Join(',', Processors);

    private static bool TryParse(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < CpuAffinity.MaxProcessors;
}
