using System.Globalization;

namespace WarpDrive.Driver.Paths;

/// <summary>
/// Measured times by how much was under way, in steps. What was never measured is taken from what was measured beside it. Any thread may call any
/// member.
/// </summary>
/// <param name="steps">The highest level of each step, rising; what is beyond the last one belongs to it.</param>
internal sealed class TimesByLevel(params int[] steps)
{
    /// <summary>1 to 8 each for itself.</summary>
    public static readonly int[] Fine = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64];

    /// <summary>Each twice the one before.</summary>
    public static readonly int[] Coarse = [1, 2, 4, 8, 16, 32, 64];

    // A level that had no sample among so many moves with the others: a device that has become slow is slow at all levels.
    private const int Idle = 32;

    private readonly ServiceTime[] _times = new ServiceTime[steps.Length];
    private readonly int[] _sampledAt = new int[steps.Length];
    private int _samples;

    /// <summary>Whether anything was measured.</summary>
    public bool IsKnown => Volatile.Read(ref _samples) != 0;

    /// <summary>How long ago this level was measured, in nanoseconds.</summary>
    public long Age(int level, long now) => _times[StepOf(level)].Age(now);

    /// <summary>
    /// The time at this level: as measured; else between the measured levels below and above; else that of the nearest one. So a device that was never
    /// asked for more is asked for one more, and then it is known. 0 when nothing was measured at all.
    /// </summary>
    public long Expect(int level)
    {
        int step = StepOf(level);
        long exact = _times[step].Nanoseconds;
        if (exact != 0)
        {
            return exact;
        }

        int below = step - 1;
        while (below >= 0 && !_times[below].IsKnown)
        {
            below--;
        }

        int above = step + 1;
        while (above < _times.Length && !_times[above].IsKnown)
        {
            above++;
        }

        if (below < 0)
        {
            return above == _times.Length ? 0 : _times[above].Nanoseconds;
        }

        long low = _times[below].Nanoseconds;
        return above == _times.Length
            ? low
            : low + (long)((_times[above].Nanoseconds - low) * ((Middle(step) - Middle(below)) / (Middle(above) - Middle(below))));
    }

    /// <summary>Adds a sample; see <see cref="ServiceTime.Add"/>.</summary>
    public void Add(int level, long nanoseconds, long now, bool isBounded = true)
    {
        int step = StepOf(level);
        int number = Interlocked.Increment(ref _samples);
        double factor = Math.Clamp(_times[step].Add(nanoseconds, now, isBounded), 0.25, 4);
        _sampledAt[step] = number;
        for (int other = 0; other < _times.Length; other++)
        {
            if (number - _sampledAt[other] > Idle)
            {
                _times[other].Follow(factor);
            }
        }
    }

    /// <summary>What was measured, in microseconds, by level: <c>"1"</c>, <c>"9-12"</c>.</summary>
    public IReadOnlyDictionary<string, double> Read()
    {
        var read = new Dictionary<string, double>();
        for (int step = 0; step < _times.Length; step++)
        {
            if (_times[step].IsKnown)
            {
                int lowest = Lowest(step);
                string name = lowest == steps[step] ? string.Create(CultureInfo.InvariantCulture, $"{lowest}") : string.Create(CultureInfo.InvariantCulture, $"{lowest}-{steps[step]}");
                read[name] = Math.Round(_times[step].Nanoseconds / 1000.0, 1);
            }
        }

        return read;
    }

    private int Lowest(int step) => step == 0 ? 1 : steps[step - 1] + 1;

    private double Middle(int step) => (Lowest(step) + steps[step]) / 2.0;

    private int StepOf(int level)
    {
        int step = 0;
        while (step < steps.Length - 1 && level > steps[step])
        {
            step++;
        }

        return step;
    }
}
