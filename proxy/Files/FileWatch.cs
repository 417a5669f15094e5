using WarpDrive.Linux;

namespace WarpProxy.Files;

/// <summary>
/// Tells when files have changed: written, replaced, or reached through another symbolic link, as Kubernetes swaps a mounted Secret. It asks
/// the file system every few seconds (inotify sees neither a swap further up the path nor what another machine writes). Any thread.
/// </summary>
internal sealed class FileWatch : IDisposable
{
    // A change is told when it was seen twice alike: files are often written in pieces, and pairs of files one after the other.
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(200);

    // What was refused is tried again after the interval, then after twice as long, up to this.
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(1);

    // Looking at many files takes at most this part of the time.
    private const int MaxShare = 100;

    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();        // held while looking, callbacks included: one change is dealt with at a time
    private readonly List<Watched> _watched = [];
    private readonly ITimer _timer;
    private TimeSpan _interval;
    private TimeSpan _changing;                 // of one look, how long those who were told took; under _gate
    private int _count;                         // of the list, written under _gate
    private bool _isPaused;
    private volatile bool _isDisposed;

    /// <summary>Begins to look.</summary>
    /// <param name="interval">From one look to the next.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">For reloads that fail.</param>
    /// <param name="isPaused">Whether <see cref="Resume"/> begins: while much is read for the first time, nothing is read again beside it.</param>
    public FileWatch(TimeSpan interval, TimeProvider time, ILogger<FileWatch> logger, bool isPaused = false)
    {
        _isPaused = isPaused;
        _interval = interval;
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(_ => Look(), null, interval, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Calls <paramref name="changed"/> after each change from now on; so what watches reads its files after this.</summary>
    /// <param name="what">For the log: <c>certificates</c>.</param>
    /// <param name="paths">Files and directories, asked for at each look. A directory changes when files are added to it or removed.</param>
    /// <param name="changed">Runs on the thread that looks, one at a time; keeps its last good state when the new one is bad.</param>
    /// <returns>Ends it when disposed.</returns>
    public IDisposable Watch(string what, Func<IReadOnlyList<string>> paths, Action changed) => Add(new Watched(this, what, paths, () =>
    {
        changed();
        return true;
    }));

    /// <summary>
    /// As above, for a file that names others: <paramref name="changed"/> is called each time too that an operator asks, and when it was false, from time to
    /// time until it is true, since what it could not use may be in those others.
    /// </summary>
    /// <param name="what">For the log.</param>
    /// <param name="path">The file.</param>
    /// <param name="read">What it was when it was read; null when it was not there.</param>
    /// <param name="changed">Whether all is well.</param>
    public IDisposable Watch(string what, string path, FileStamp? read, Func<bool> changed) => Add(new Watched(this, what, path, read, changed));

    /// <summary>Begins to look. What has changed since it was watched is seen by the next look.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _isPaused = false;
            if (!_isDisposed)
            {
                _timer.Change(_interval, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>How many sets of files are watched.</summary>
    /// <remarks>Not under the gate: operators ask while a look holds it.</remarks>
    public int Count => Volatile.Read(ref _count);

    /// <summary>From one look to the next.</summary>
    public TimeSpan Interval
    {
        get => _interval;
        set
        {
            lock (_gate)
            {
                _interval = value;
                if (!_isDisposed)
                {
                    _timer.Change(value, Timeout.InfiniteTimeSpan);
                }
            }
        }
    }

    /// <summary>Looks now, and does not wait for changes to settle: an operator says that the files are ready.</summary>
    public void LookNow() => Look(isSettled: true);

    /// <summary>Nothing more is looked at from now on. Does not wait for a look that has begun.</summary>
    public void Stop() => _isDisposed = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer.Dispose();
        }
    }

    private Watched Add(Watched watched)
    {
        lock (_gate)
        {
            _watched.Add(watched);
            Volatile.Write(ref _count, _watched.Count);
        }

        return watched;
    }

    private void Look(bool isSettled = false)
    {
        lock (_gate)
        {
            if (_isDisposed || _isPaused)
            {
                return;
            }

            long since = _time.GetTimestamp();
            _changing = TimeSpan.Zero;
            bool isUnsettled = false;
            foreach (Watched watched in _watched.ToArray())
            {
                // A callback may end others.
                isUnsettled |= !_isDisposed && _watched.Contains(watched) && Look(watched, isSettled);
            }

            TimeSpan rest = (_time.GetElapsedTime(since) - _changing) * MaxShare;
            TimeSpan interval = isUnsettled ? SettleTime : _interval;
            if (_isDisposed)
            {
                return;
            }

            _timer.Change(rest > interval ? rest : interval, Timeout.InfiniteTimeSpan);
        }
    }

    private bool Look(Watched watched, bool isSettled)
    {
        try
        {
            return watched.Look(isSettled);
        }
        catch (Exception exception)
        {
            // Whatever is wrong with new files, the old state goes on, and so does the look at the other files.
            _logger.ReloadFailed(exception, watched.What);
            return false;
        }
    }

    private sealed class Watched(FileWatch owner, string what, Func<IReadOnlyList<string>> paths, Func<bool> changed) : IDisposable
    {
        private readonly bool _isForced;
        private Dictionary<string, FileStamp> _told = Read(paths());
        private Dictionary<string, FileStamp> _seen = [];
        private TimeSpan _retryTime;        // zero while all is well
        private long _refusedAt;

        public Watched(FileWatch owner, string what, string path, FileStamp? read, Func<bool> changed)
            : this(owner, what, () => [path], changed)
        {
            _isForced = true;
            _told = read is { } stamp ? new Dictionary<string, FileStamp> { [path] = stamp } : [];
        }

        public string What => what;

        /// <summary>True when something has changed and should be looked at again soon.</summary>
        public bool Look(bool isSettled)
        {
            IReadOnlyList<string> all = paths();
            bool isAsked = (_isForced && isSettled) || (_retryTime > TimeSpan.Zero && owner._time.GetElapsedTime(_refusedAt) >= _retryTime);
            if (!isAsked && IsAsTold(all))
            {
                return false;
            }

            Dictionary<string, FileStamp> now = Read(all);
            if (!isAsked && !isSettled && !AreEqual(now, _seen))
            {
                _seen = now;
                return true;
            }

            // Before the call: what changes while it reads will be told next time.
            Dictionary<string, FileStamp> before = _told;
            _told = now;
            long since = owner._time.GetTimestamp();
            try
            {
                Note(changed());
            }
            catch
            {
                // It is tried again at the next look.
                _told = before;
                throw;
            }
            finally
            {
                owner._changing += owner._time.GetElapsedTime(since);
            }

            return false;
        }

        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._watched.Remove(this);
                Volatile.Write(ref owner._count, owner._watched.Count);
            }
        }

        private void Note(bool isWell)
        {
            TimeSpan next = _retryTime == TimeSpan.Zero ? owner._interval : _retryTime * 2;
            _retryTime = isWell ? TimeSpan.Zero : next < LongestRetry ? next : LongestRetry;
            _refusedAt = owner._time.GetTimestamp();
        }

        /// <summary>Mostly nothing has changed, and there may be many files: so nothing is allocated to see that.</summary>
        private bool IsAsTold(IReadOnlyList<string> all)
        {
            int count = 0;
            for (int i = 0; i < all.Count; i++)
            {
                if (FileStamp.TryRead(all[i], out FileStamp stamp))
                {
                    count++;
                    if (!_told.TryGetValue(all[i], out FileStamp told) || stamp != told)
                    {
                        return false;
                    }
                }
            }

            // Paths that were told and are not asked for any more are a change as well.
            return count == _told.Count;
        }

        /// <summary>A file that is not there has no stamp.</summary>
        private static Dictionary<string, FileStamp> Read(IReadOnlyList<string> paths)
        {
            var stamps = new Dictionary<string, FileStamp>(paths.Count);
            foreach (string path in paths)
            {
                if (FileStamp.TryRead(path, out FileStamp stamp))
                {
                    stamps[path] = stamp;
                }
            }

            return stamps;
        }

        private static bool AreEqual(Dictionary<string, FileStamp> left, Dictionary<string, FileStamp> right) =>
            left.Count == right.Count && left.All(file => right.TryGetValue(file.Key, out FileStamp stamp) && stamp == file.Value);
    }
}
