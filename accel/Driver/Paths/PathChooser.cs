namespace WarpDrive.Driver.Paths;

/// <summary>
/// What the path <c>auto</c> has learned of software and of what is under way; of each device, the device's pool knows. One for all keys whose operations
/// share the processors. Any thread may call any member; nothing is allocated or locked per operation.
/// </summary>
public sealed class PathChooser
{
    private readonly Func<int>? _readLoad;
    private readonly Action? _beginDevice;
    private readonly PathChoice[] _choices;
    private int _underWay;

    /// <summary>Knows nothing yet.</summary>
    /// <param name="processors">That this process may use.</param>
    /// <param name="readLoad">
    /// How many threads want a processor or wait for a device, the calling one included, where somebody knows better than the number of operations under way.
    /// Called for each operation.
    /// </param>
    /// <param name="beginDevice">Called by a thread whose operation goes to a device, before it does: from then on it waits. It must not throw.</param>
    public PathChooser(int processors, Func<int>? readLoad = null, Action? beginDevice = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(processors, 1);
        _readLoad = readLoad;
        _beginDevice = beginDevice;
        _choices = [.. KeySizes.All.Select(_ => new PathChoice(processors))];
    }

    /// <summary>Operations that have begun and not ended, on any path.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>Begins an operation; to be disposed at its end, however it ends.</summary>
    /// <param name="timeline">Where its steps are written; null: nobody asks.</param>
    public AutoOperation Begin(OperationTimeline? timeline = null) => new(this, timeline);

    internal PathChoice this[int size] => _choices[size];

    /// <summary>Returns how much is under way.</summary>
    internal int Enter()
    {
        int underWay = Interlocked.Increment(ref _underWay);
        return _readLoad is null ? underWay : Math.Max(underWay, _readLoad());
    }

    internal void BeginDevice() => _beginDevice?.Invoke();

    internal void Leave() => Interlocked.Decrement(ref _underWay);
}
