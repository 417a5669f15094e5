using WarpDrive.Engines;

namespace WarpProxy.LoadTest.Engines;

/// <summary>
/// Lets OpenSSL and the engines compute in turn on the calling thread. A round consists of short slices, back and forth, so that a slow
/// moment of the machine hits all of them alike; ratios are taken within a round.
/// </summary>
internal sealed class EngineBench : IDisposable
{
    /// <summary>CPU time of one slice, about: the clock that wide vectors lower is up again within a small part of it.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    // The runtime compiles a method well only when it has been called for about a tenth of a second.
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(250);

    // As many as the SIMD engine has lanes, or these.
    private const int ScalarKeys = 8;

    private readonly ScalarEngine _scalar = new();
    private readonly SimdEngine? _simd = SimdEngine.IsSupported ? new SimdEngine() : null;

    /// <summary>The SIMD engine; null: there is none here.</summary>
    public string? SimdName => _simd?.Name;

    /// <summary>Measures one size with fresh keys.</summary>
    /// <param name="bits">2048, 3072 or 4096.</param>
    /// <param name="time">CPU time of all rounds together, about; each slice is computed at least once a round.</param>
    /// <param name="rounds">At least 1.</param>
    public EngineRow[] Measure(int bits, TimeSpan time, int rounds)
    {
        int keyCount = _simd?.Lanes ?? ScalarKeys;
        BenchKey[] keys = [.. Enumerable.Range(0, keyCount).Select(_ => new BenchKey(bits))];
        try
        {
            Run[] runs = [.. CreateContenders(keys).Select(static contender => new Run(contender))];
            TimeSpan slices = TimeSpan.Zero;
            foreach (Run run in runs)
            {
                slices += run.WarmUp();
            }

            int slicesPerRound = (int)Math.Max(1, Math.Round(time / rounds / slices));
            for (int round = 0; round < rounds; round++)
            {
                MeasureRound(runs, slicesPerRound);
            }

            return [.. runs.Select(run => EngineRow.FromRounds(
                run.Contender.Engine, bits, run.Contender.Batch, run.Contender.PassCapacity, run.PassTimes, runs[0].PassTimes))];
        }
        finally
        {
            Array.ForEach(keys, static key => key.Dispose());
        }
    }

    public void Dispose()
    {
        _scalar.Dispose();
        _simd?.Dispose();
    }

    /// <summary>OpenSSL first.</summary>
    private IEnumerable<IContender> CreateContenders(BenchKey[] keys)
    {
        yield return new OpenSslContender(keys);
        yield return new EngineContender("scalar", _scalar, keys, batch: 1, passCapacity: 1);
        if (_simd is not null)
        {
            yield return new EngineContender("simd", _simd, keys, batch: 1, _simd.HalfLanes);
            yield return new EngineContender("simd", _simd, keys, _simd.HalfLanes, _simd.HalfLanes);
            yield return new EngineContender("simd", _simd, keys, _simd.Lanes, _simd.Lanes);
        }
    }

    private static void MeasureRound(Run[] runs, int slices)
    {
        Array.ForEach(runs, static run => run.BeginRound());
        for (int slice = 0; slice < slices; slice++)
        {
            foreach (Run run in slice % 2 == 0 ? runs : runs.Reverse())
            {
                run.RunSlice();
            }
        }

        Array.ForEach(runs, static run => run.EndRound());
    }

    /// <summary>A contender and what it has needed so far.</summary>
    private sealed class Run(IContender contender)
    {
        private readonly List<TimeSpan> _passTimes = [];
        private int _passesPerSlice;
        private long _passes;
        private TimeSpan _time;

        public IContender Contender => contender;

        /// <summary>CPU time of one pass, for each round.</summary>
        public IReadOnlyList<TimeSpan> PassTimes => _passTimes;

        /// <summary>Settles how many passes a slice has, and returns the time they take.</summary>
        public TimeSpan WarmUp()
        {
            TimeSpan start = ThreadCpuClock.Read();
            TimeSpan pass = TimeSpan.Zero;
            for (TimeSpan now = start; now - start < EngineBench.WarmUp;)
            {
                contender.RunPass();
                TimeSpan before = now;
                now = ThreadCpuClock.Read();
                pass = now - before;
            }

            _passesPerSlice = (int)Math.Max(1, Math.Round(Slice / pass));
            return _passesPerSlice * pass;
        }

        public void BeginRound()
        {
            contender.ClearResults();
            _passes = 0;
            _time = TimeSpan.Zero;
        }

        public void RunSlice()
        {
            TimeSpan start = ThreadCpuClock.Read();
            for (int pass = 0; pass < _passesPerSlice; pass++)
            {
                contender.RunPass();
            }

            _time += ThreadCpuClock.Read() - start;
            _passes += _passesPerSlice;
        }

        public void EndRound()
        {
            contender.CheckResults(_passes);
            _passTimes.Add(_time / _passes);
        }
    }
}
