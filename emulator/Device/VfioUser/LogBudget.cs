namespace WarpDrive.Emulator.VfioUser;

/// <summary>
/// How many lines about clients may be logged: a hundred at once, one a second in the long run. So a client that comes and goes all the time fills no disk,
/// and hides no line about itself: the first ones are there. One thread.
/// </summary>
internal sealed class LogBudget
{
    /// <summary>Lines that may be logged at once.</summary>
    public const int Burst = 100;

    private const double LinesPerSecond = 1;

    private readonly TimeProvider _time;
    private double _lines = Burst;
    private long _since;

    /// <summary>A full budget.</summary>
    public LogBudget(TimeProvider time)
    {
        _time = time;
        _since = time.GetTimestamp();
    }

    /// <summary>Lines that were left out since the last one that was not.</summary>
    public int LeftOut { get; private set; }

    /// <summary>Whether a line may be logged.</summary>
    /// <param name="leftOut">How many were not, since the last one that was.</param>
    public bool TryTake(out int leftOut)
    {
        long now = _time.GetTimestamp();
        _lines = Math.Min(Burst, _lines + (_time.GetElapsedTime(_since, now).TotalSeconds * LinesPerSecond));
        _since = now;
        leftOut = LeftOut;
        if (_lines < 1)
        {
            LeftOut++;
            return false;
        }

        _lines--;
        LeftOut = 0;
        return true;
    }
}
