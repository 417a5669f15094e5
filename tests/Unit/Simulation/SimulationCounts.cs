using System.Globalization;
using WarpDrive.Driver;
using WarpDrive.Emulator.Faults;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>What happened in runs, so that it is known what they cover.</summary>
internal sealed class SimulationCounts
{
    private readonly long[] _outcomes = new long[Enum.GetValues<AcceleratorError>().Length];
    private readonly long[] _faults = new long[Enum.GetValues<FaultKind>().Length];
    private readonly SortedDictionary<string, long> _others = new(StringComparer.Ordinal);
    private long _seeds;

    public long Operations => _outcomes.Sum();

    public void CountSeed() => _seeds++;

    public void Count(AcceleratorError outcome) => _outcomes[(int)outcome]++;

    public void Count(FaultKind fault, long times) => _faults[(int)fault] += times;

    public void Count(string other, long times = 1) => _others[other] = _others.GetValueOrDefault(other) + times;

    public void Add(SimulationCounts others)
    {
        _seeds += others._seeds;
        for (int i = 0; i < _outcomes.Length; i++)
        {
            _outcomes[i] += others._outcomes[i];
        }

        for (int i = 0; i < _faults.Length; i++)
        {
            _faults[i] += others._faults[i];
        }

        foreach ((string name, long count) in others._others)
        {
            Count(name, count);
        }
    }

    /// <summary>The mean of a seed.</summary>
    public override string ToString()
    {
        IEnumerable<string> lines =
        [
            $"{_seeds} seeds; of each, on average:",
            $"operations: {Mean(Operations)}, of which " + string.Join(", ", Enum.GetValues<AcceleratorError>().Where(e => _outcomes[(int)e] > 0).Select(e => $"{e} {Mean(_outcomes[(int)e])}")),
            "faults: " + string.Join(", ", Enum.GetValues<FaultKind>().Where(k => _faults[(int)k] > 0).Select(k => $"{k} {Mean(_faults[(int)k])}")),
            .. _others.Select(pair => $"{pair.Key}: {Mean(pair.Value)}"),
        ];
        return string.Join(Environment.NewLine, lines);
    }

    private string Mean(long count) => string.Create(CultureInfo.InvariantCulture, $"{(double)count / Math.Max(_seeds, 1):0.###}");
}
