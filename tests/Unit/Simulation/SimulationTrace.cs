using System.Globalization;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>What happened in a run, as one number; also as text when asked for.</summary>
internal sealed class SimulationTrace(VirtualTime time, bool keepsText)
{
    private readonly List<string> _lines = [];

    /// <summary>FNV-1a over everything added, with its time.</summary>
    public ulong Hash { get; private set; } = 0xcbf29ce484222325;

    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Adds an event.</summary>
    /// <param name="what">A constant.</param>
    /// <param name="subject">Who or to whom.</param>
    /// <param name="value">With which outcome.</param>
    public void Add(string what, int subject, long value)
    {
        Fold(time.GetTimestamp());
        foreach (char letter in what)
        {
            Fold(letter);
        }

        Fold(subject);
        Fold(value);
        if (keepsText)
        {
            _lines.Add(string.Create(CultureInfo.InvariantCulture, $"{time.Now.TotalMilliseconds - TimeSpan.FromDays(1).TotalMilliseconds,12:F3} ms  {what} {subject}: {value}"));
        }
    }

    private void Fold(long value) => Hash = unchecked((Hash ^ (ulong)value) * 0x100000001b3);
}
