namespace WarpDrive.Driver;

/// <summary>
/// Decides whether a device is given work, from what became of the work it had. It has no thread and no timer: whoever looks after the
/// device calls <see cref="Observe"/> every now and then, and acts.
/// <code>
///              wrong result, broken protocol, isolated,
///              too many errors, no answers                 time is over
///   Closed ───────────────────────────────────▶ Open ──────────────────────▶ HalfOpen ◀── at first
///     │  ▲                                       ▲                            │  │  ▲
///     │  │                                       └──────── probe fails ───────┘  │  │
///     │  └───────────────────── probe succeeds ──────────────────────────────────┘  │
///     └──────────────────────── the device went away ───────────────────────────────┘
/// </code>
/// Any thread may call any member. Success takes no lock.
/// </summary>
internal sealed class CircuitBreaker
{
    private const int SliceCount = 10;

    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly Lock _lock = new();                    // everything below it
    private readonly Random _random;
    private readonly Slice[] _slices = new Slice[SliceCount];
    private readonly long[] _openings = new long[Enum.GetValues<OpeningReason>().Length];
    private readonly TimeSpan[] _timeIn = new TimeSpan[Enum.GetValues<BreakerState>().Length];
    private CircuitBreakerOptions _options;
    private long _slice;                                    // number of the last one, from the origin on
    private long _goodSeen;                                 // successes at the last look
    private long _goodAtClosing;
    private int _level;                                     // back-offs since the last time that was forgotten
    private TimeSpan _since;                                // of the state
    private TimeSpan _retryAt;
    private TimeSpan _backOff;
    private OpeningReason _reason;
    private string _detail = "";
    private long _probesGood;
    private long _probesBad;

    private volatile BreakerState _state = BreakerState.HalfOpen;
    private long _good;                                     // Interlocked: many operations end at once
    private int _unanswered;                                // in a row; Volatile, see Succeeded

    /// <summary>Creates one that waits for a probe.</summary>
    public CircuitBreaker(CircuitBreakerOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _origin = time.GetTimestamp();
        _random = options.Seed is { } seed ? new Random(seed) : new Random();
    }

    /// <summary>Whether the device is given work.</summary>
    public bool IsClosed => _state == BreakerState.Closed;

    /// <summary>What it lets through.</summary>
    public BreakerState State => _state;

    /// <summary>How often it opened.</summary>
    public long OpeningCount
    {
        get
        {
            lock (_lock)
            {
                return _openings.Sum();
            }
        }
    }

    /// <summary>Other limits, from the next failure on; a change of the window forgets what was in it. The seed stays.</summary>
    public CircuitBreakerOptions Options
    {
        get => _options;
        set
        {
            lock (_lock)
            {
                bool isOtherWindow = value.Window != _options.Window;
                _options = value;
                if (isOtherWindow)
                {
                    BeginWindow();
                }
            }
        }
    }

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    /// <summary>An operation gave a right result. No lock: one addition, and a load of what is zero as long as the device answers.</summary>
    public void Succeeded()
    {
        Interlocked.Increment(ref _good);

        // A failure that is counted at the same moment may be lost or kept: they were at the same moment.
        if (Volatile.Read(ref _unanswered) != 0)
        {
            Volatile.Write(ref _unanswered, 0);
        }
    }

    /// <summary>
    /// An operation gave no result. Outcomes that say nothing of the device are passed over, and so is what comes when the breaker is not
    /// closed: operations that were under way when it opened belong to the same incident. Returns whether it opened the breaker.
    /// </summary>
    public bool Failed(AcceleratorError outcome)
    {
        if (outcome is not (AcceleratorError.WrongResult or AcceleratorError.Protocol or AcceleratorError.Deadline
            or AcceleratorError.DeviceGone or AcceleratorError.DeviceError))
        {
            return false;
        }

        lock (_lock)
        {
            if (_state != BreakerState.Closed)
            {
                return false;
            }

            TurnWindow();
            _slices[_slice % SliceCount].Bad++;
            Volatile.Write(ref _unanswered, outcome switch
            {
                AcceleratorError.Deadline => _unanswered + 1,
                AcceleratorError.DeviceGone => _unanswered,
                _ => 0,
            });

            switch (outcome)
            {
                case AcceleratorError.WrongResult:
                    Open(OpeningReason.WrongResult, "a result was wrong");
                    break;
                case AcceleratorError.Protocol:
                    Open(OpeningReason.Protocol, "the device broke its protocol");
                    break;
                default:
                    OpenWhenTooMany();
                    break;
            }

            return _state == BreakerState.Open;
        }
    }

    /// <summary>Has time pass: successes since the last call, or failure, count from now on for the window. To be called once in a tenth of it.</summary>
    public void Observe()
    {
        lock (_lock)
        {
            TurnWindow();
        }
    }

    /// <summary>Half-opens it when its time is over. Returns whether it did.</summary>
    public bool TryHalfOpen()
    {
        lock (_lock)
        {
            if (_state != BreakerState.Open || Now < _retryAt)
            {
                return false;
            }

            Enter(BreakerState.HalfOpen);
            return true;
        }
    }

    /// <summary>The device answered a probe rightly. Only when half-open.</summary>
    public void ProbeSucceeded()
    {
        lock (_lock)
        {
            RequireHalfOpen();
            _probesGood++;
            _goodAtClosing = Volatile.Read(ref _good);
            Volatile.Write(ref _unanswered, 0);
            BeginWindow();
            Enter(BreakerState.Closed);
        }
    }

    /// <summary>The device did not answer a probe rightly. Only when half-open.</summary>
    /// <param name="detail">Words that end a sentence.</param>
    public void ProbeFailed(string detail)
    {
        lock (_lock)
        {
            RequireHalfOpen();
            _probesBad++;
            Open(OpeningReason.Probe, detail);
        }
    }

    /// <summary>The kernel took the device out of use: it gets no work, whatever became of the last, and no probe either. Not when it is open already.</summary>
    /// <param name="detail">Words that end a sentence.</param>
    public void Isolated(string detail)
    {
        lock (_lock)
        {
            if (_state != BreakerState.Open)
            {
                Open(OpeningReason.Isolated, detail);
            }
        }
    }

    /// <summary>There is no device any more: the next one has to answer a probe first, but need not wait.</summary>
    public void Lost()
    {
        lock (_lock)
        {
            if (_state == BreakerState.Closed)
            {
                Enter(BreakerState.HalfOpen);
            }
        }
    }

    /// <summary>How it is now.</summary>
    public BreakerStatus GetStatus()
    {
        lock (_lock)
        {
            TimeSpan now = Now;
            TimeSpan In(BreakerState state) => _timeIn[(int)state] + (_state == state ? now - _since : TimeSpan.Zero);
            return new(
                _state,
                _reason,
                _detail,
                _backOff,
                _state == BreakerState.Open && _retryAt > now ? _retryAt - now : TimeSpan.Zero,
                Enum.GetValues<OpeningReason>().Where(reason => _openings[(int)reason] > 0).ToDictionary(static reason => reason, reason => _openings[(int)reason]),
                _probesGood,
                _probesBad,
                In(BreakerState.Closed),
                In(BreakerState.Open),
                In(BreakerState.HalfOpen));
        }
    }

    private void RequireHalfOpen()
    {
        if (_state != BreakerState.HalfOpen)
        {
            throw new InvalidOperationException($"A probe ended while the breaker was {_state}.");
        }
    }

    private void OpenWhenTooMany()
    {
        int unanswered = Volatile.Read(ref _unanswered);
        if (unanswered >= _options.MaxUnanswered)
        {
            Open(OpeningReason.Unanswered, unanswered == 1 ? "an operation was not answered" : $"{unanswered} operations in a row were not answered");
            return;
        }

        long good = _goodSeen - _slices[(_slice + 1) % SliceCount].GoodBefore; // the next one is the oldest
        long bad = _slices.Sum(static slice => slice.Bad);
        if (good + bad >= _options.MinOperations && bad >= _options.ErrorRate * (good + bad))
        {
            Open(OpeningReason.Errors, FormattableString.Invariant($"{bad} of {good + bad} operations within {_options.Window.TotalSeconds:0.###} s failed"));
        }
    }

    private void Open(OpeningReason reason, string detail)
    {
        TimeSpan now = Now;
        if (_state == BreakerState.Closed && now - _since >= _options.ForgetAfter && Volatile.Read(ref _good) - _goodAtClosing >= _options.MinOperations)
        {
            _level = 0;
        }

        // Never longer than the longest, also with jitter; 2^62 times a tick is no more a TimeSpan.
        double seconds = Math.Min(_options.FirstBackOff.TotalSeconds * Math.Pow(2, _level), _options.MaxBackOff.TotalSeconds);
        seconds *= 1 + (_options.Jitter * ((2 * _random.NextDouble()) - 1));
        _backOff = TimeSpan.FromSeconds(Math.Min(seconds, _options.MaxBackOff.TotalSeconds));
        _level++;
        _retryAt = now + _backOff;
        _reason = reason;
        _detail = detail;
        _openings[(int)reason]++;
        Enter(BreakerState.Open);
    }

    private void Enter(BreakerState state)
    {
        TimeSpan now = Now;
        _timeIn[(int)_state] += now - _since;
        _since = now;
        _state = state;
    }

    private void BeginWindow()
    {
        _slice = CurrentSlice();
        _goodSeen = Volatile.Read(ref _good);
        Array.Fill(_slices, new Slice { GoodBefore = _goodSeen });
    }

    private void TurnWindow()
    {
        long slice = CurrentSlice();
        for (long next = Math.Max(_slice + 1, slice - SliceCount + 1); next <= slice; next++)
        {
            // What went well since the last look counts as of now: a device keeps its credit when nobody had time to look.
            _slices[next % SliceCount] = new Slice { GoodBefore = _goodSeen };
        }

        _slice = Math.Max(_slice, slice);
        _goodSeen = Volatile.Read(ref _good);
    }

    private long CurrentSlice() => Now.Ticks / (_options.Window.Ticks / SliceCount);

    /// <summary>A tenth of the window.</summary>
    private struct Slice
    {
        public long GoodBefore;     // successes before it began
        public int Bad;
    }
}
