namespace WarpDrive.Driver.Paths;

/// <summary>
/// Chooses for each operation of one key size: software, or which device. Software is expected to take its processor time, as often as operations
/// share a processor; a device what it has taken with as much in flight. A device that computes on the processors of this process is another matter: there
/// an operation that is done later may leave more of them to everything else, so processor time is compared, of all operations together. Any thread may
/// call any member; threads that choose at the same time may each overlook what the other has just learned.
/// </summary>
/// <param name="processors">That this process may use.</param>
internal sealed class PathChoice(int processors)
{
    /// <summary>Of so many operations one goes to the path whose turn it is, whatever is expected of it: how it is now, it tells only so.</summary>
    public const int ExploringInterval = 64;

    /// <summary>Of those, a path that is expected to take much longer than the other gets only one of so many.</summary>
    public const int RareExploring = 8;

    /// <summary>So much longer is much longer.</summary>
    public const int MuchLonger = 4;

    // What is chosen stays chosen until the other is better by more than measuring is wrong.
    private const double Better = 0.9;
    private const double Worse = 1.05;

    // The load is evened out over about so many operations.
    private const double LoadOperations = 8;

    // A device that shares the processors tells what a load costs only when all go to it: so many for each one under way, and of those
    // the first ones are not counted, while others still end elsewhere. What was never tried may be tried soon; what was, after a while, and the
    // longer a while the worse it was.
    private const int TrialOperations = 6;
    private const int TrialBeginning = 2;
    private const long FirstTrialInterval = 250_000_000;
    private const long TrialInterval = 5_000_000_000;
    private const double LongestTrialIntervals = 12;

    private double _load = 1;
    private int _number;
    private int _trialLeft;
    private int _trialCounted;          // what is left when the trial's beginning is over
    private long _trialAt = long.MinValue / 2;
    private bool _isShared;             // a device that shares the processors is chosen
    private bool _isDevice;             // another device is, as long as it has room
    private int _switches;

    /// <summary>What software needs.</summary>
    public SoftwareService Software { get; } = new(processors);

    /// <summary>Operations under way, evened out.</summary>
    public double Load => Volatile.Read(ref _load);

    /// <summary>Whether a device is preferred while it has room.</summary>
    public bool PrefersDevice => Volatile.Read(ref _isShared) || Volatile.Read(ref _isDevice);

    /// <summary>How often that changed.</summary>
    public int Switches => Volatile.Read(ref _switches);

    /// <summary>Begins to choose for one operation.</summary>
    /// <param name="load">Operations under way on any path, this one included.</param>
    /// <param name="devices">How many there are, ready or not.</param>
    /// <param name="now">Nanoseconds.</param>
    public PathScan Begin(int load, int devices, long now)
    {
        double evened = Volatile.Read(ref _load);
        evened += (load - evened) / LoadOperations;
        Volatile.Write(ref _load, evened);
        return new PathScan(this, load, Math.Max(1, evened), Interlocked.Increment(ref _number), devices, now);
    }

    /// <summary>Whether a device that shares the processors is better for all operations than software is.</summary>
    /// <param name="service">The device's.</param>
    /// <param name="engines">That it has.</param>
    /// <param name="load">Evened out.</param>
    /// <param name="now">Nanoseconds.</param>
    /// <param name="isCounted">Whether the operation tells what the device costs with this load.</param>
    internal bool PrefersShared(DeviceService service, int engines, double load, long now, out bool isCounted)
    {
        isCounted = true;
        int level = Math.Max(1, (int)Math.Round(load));
        if (Volatile.Read(ref _trialLeft) > 0 && Interlocked.Decrement(ref _trialLeft) is >= 0 and int left)
        {
            isCounted = left < Volatile.Read(ref _trialCounted);
            return true;
        }

        double device = service.ExpectWork(load, Math.Clamp(engines, 1, processors));
        double software = Software.ExpectWork(load);
        bool isShared = Volatile.Read(ref _isShared);
        bool isBetter = device != 0 && device < software * (isShared ? Worse : Better);
        if (isBetter != isShared)
        {
            Volatile.Write(ref _isShared, isBetter);
            Interlocked.Increment(ref _switches);
        }

        if (isBetter)
        {
            return true;
        }

        if (level > 1 && service.Work.Age(level, now) > TrialInterval && TryBeginTrial(service, level, device / software, now))
        {
            isCounted = false;
            return true;
        }

        return false;
    }

    /// <summary>Whether a device that has processors of its own is better than what this process does with its own; whether it has room is not asked.</summary>
    /// <param name="alone">Nanoseconds to the answer when nothing else is in flight there.</param>
    /// <param name="here">Nanoseconds until this process is done.</param>
    internal bool PrefersOther(long alone, long here)
    {
        bool isDevice = Volatile.Read(ref _isDevice);
        bool isBetter = alone < here * (isDevice ? Worse : Better);
        if (isBetter != isDevice)
        {
            Volatile.Write(ref _isDevice, isBetter);
            Interlocked.Increment(ref _switches);
        }

        return isBetter;
    }

    private bool TryBeginTrial(DeviceService service, int level, double ratio, long now)
    {
        long last = Volatile.Read(ref _trialAt);
        long interval = service.Work.Age(level, now) == long.MaxValue ? FirstTrialInterval : (long)(TrialInterval * Math.Clamp(ratio, 1, LongestTrialIntervals));
        if (now - last < interval || Interlocked.CompareExchange(ref _trialAt, now, last) != last)
        {
            return false;
        }

        Volatile.Write(ref _trialCounted, level * (TrialOperations - TrialBeginning));
        Volatile.Write(ref _trialLeft, level * TrialOperations);
        return true;
    }
}
