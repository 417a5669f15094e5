using System.Net;
using WarpDrive.Linux;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.LoadTest.Http;

/// <summary>
/// HTTP/2 by .NET's client: as many requests under way as there are connections times streams, on .NET's pool of threads. This thread begins what
/// is due; a request that ends begins the next one itself if one is due by then.
/// </summary>
internal sealed class Http2Load : IDisposable
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly HttpOptions _options;
    private readonly IPacing _pacing;
    private readonly RunWindow _window;
    private readonly Http2Client _client;
    private readonly HttpMessageInvoker[] _invokers;
    private readonly Slot[] _slots;
    private readonly Stack<Slot> _free;
    private readonly ThreadWake _wake = new();
    private readonly CancellationTokenSource _end = new();

    // Guards pacing, slots and counters; held for no longer than it takes to count.
    private readonly Lock _gate = new();
    private bool _isOver;

    /// <param name="options">What to do.</param>
    /// <param name="address">Of the server.</param>
    /// <param name="pacing">Of all requests.</param>
    /// <param name="window">The run's.</param>
    public Http2Load(HttpOptions options, IPEndPoint address, IPacing pacing, RunWindow window)
    {
        _options = options;
        _pacing = pacing;
        _window = window;
        _client = new Http2Client(options, address, CountOpened, CountReceived, CountSent);
        _invokers = [.. Enumerable.Range(0, options.IsNewConnectionEach ? 0 : options.Connections).Select(_ => _client.Create())];
        _slots =
        [
            .. Enumerable.Range(0, options.Connections * options.Streams)
                .Select(index => new Slot(options.IsNewConnectionEach ? null : _invokers[index % options.Connections])),
        ];
        _free = new Stack<Slot>(_slots.Reverse());
    }

    public HttpCounters Counters { get; } = new();

    /// <summary>The thread's body.</summary>
    public void Run(LoadThread thread)
    {
        long now;
        while ((now = LoadClock.Now) < _window.Until || IsDraining(now))
        {
            thread.Mark(now);
            BeginDue();
            _wake.Wait(LoadClock.ToTimeSpan(NextWake() - LoadClock.Now));
        }

        thread.Mark(now);
        CountUnfinished(now);
    }

    public void Dispose()
    {
        _end.Cancel();
        Task.WaitAll([.. _slots.Select(static slot => slot.Serving)], EndPatience);
        foreach (HttpMessageInvoker invoker in _invokers)
        {
            invoker.Dispose();
        }

        _end.Dispose();
    }

    private bool IsDraining(long now)
    {
        lock (_gate)
        {
            return _pacing.IsOpenLoop
                && now < _window.Until + HttpLoad.DrainLimit
                && (_pacing.NextDue < _window.Until || _free.Count < _slots.Length);
        }
    }

    private long NextWake()
    {
        lock (_gate)
        {
            long until = LoadClock.Now < _window.Until ? _window.Until : _window.Until + HttpLoad.DrainLimit;

            // An interruption moves the end of the window; nobody wakes this thread then.
            long next = Math.Min(until, LoadClock.Now + (LoadClock.Second / 20));
            return _free.Count > 0 && _pacing.IsOpenLoop && _pacing.NextDue < _window.Until ? Math.Min(next, _pacing.NextDue) : next;
        }
    }

    private void BeginDue()
    {
        while (true)
        {
            Slot slot;
            lock (_gate)
            {
                if (_free.Count == 0 || !TryTake(_free.Peek()))
                {
                    return;
                }

                slot = _free.Pop();
                Counters.Load.InFlight++;
            }

            slot.Serving = Task.Run(() => ServeAsync(slot));
        }
    }

    /// <summary>Gives a slot its next request if one is due. Under the lock.</summary>
    private bool TryTake(Slot slot)
    {
        long now = LoadClock.Now;
        bool isDue = !_isOver && _pacing.NextDue < _window.Until && (_pacing.IsOpenLoop || now < _window.Until);
        if (!isDue || !_pacing.TryTake(now, out long intended))
        {
            return false;
        }

        (slot.Intended, slot.IsBusy) = (intended, true);
        if (_pacing.IsOpenLoop && _window.Contains(intended))
        {
            Counters.Load.StartDelay.Record(now - intended);
        }

        return true;
    }

    /// <summary>One request after the other, until none is due.</summary>
    private async Task ServeAsync(Slot slot)
    {
        bool isNext = true;
        while (isNext)
        {
            LoadError error = await RequestAsync(slot).ConfigureAwait(false);
            if (error.Kind != LoadErrorKind.None && !_pacing.IsOpenLoop)
            {
                await Task.Delay(LoadClock.ToTimeSpan(HttpLoad.PauseAfterError)).ConfigureAwait(false);
            }

            lock (_gate)
            {
                isNext = TryTake(slot);
                if (!isNext && !_isOver)
                {
                    Counters.Load.InFlight--;
                    _free.Push(slot);
                }
            }
        }

        _wake.Signal();
    }

    private async Task<LoadError> RequestAsync(Slot slot)
    {
        LoadError error = default;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        limit.CancelAfter(_options.Timeout);
        try
        {
            // A lifetime of zero in .NET's pool is not the same: now and then a connection takes two requests.
            using HttpMessageInvoker? own = slot.Invoker is null ? _client.Create() : null;
            using HttpRequestMessage request = _client.CreateRequest();
            using HttpResponseMessage response = await (slot.Invoker ?? own!).SendAsync(request, limit.Token).ConfigureAwait(false);
            await using Stream body = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
            while (await body.ReadAsync(slot.Buffer, limit.Token).ConfigureAwait(false) > 0)
            {
            }

            CountDone(slot, (int)response.StatusCode);
            return error;
        }
        catch (OperationCanceledException)
        {
            error = LoadError.Timeout;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            error = Http2Client.ErrorOf(failure);
        }

        CountFailed(slot, error);
        return error;
    }

    private void CountDone(Slot slot, int status)
    {
        lock (_gate)
        {
            long done = LoadClock.Now;
            slot.IsBusy = false;
            if (_isOver)
            {
                return;
            }

            if (_window.Contains(done))
            {
                Counters.Load.Completed++;
                Counters.CountStatus(status);
            }

            if (_window.Contains(_pacing.IsOpenLoop ? slot.Intended : done))
            {
                Counters.Load.Latency.Record(done - slot.Intended);
            }
        }
    }

    private void CountFailed(Slot slot, LoadError error)
    {
        lock (_gate)
        {
            slot.IsBusy = false;
            if (!_isOver && _window.Contains(_pacing.IsOpenLoop ? slot.Intended : LoadClock.Now))
            {
                Counters.Load.Errors.Count(error);
            }
        }
    }

    private void CountUnfinished(long now)
    {
        lock (_gate)
        {
            _isOver = true;
            foreach (Slot slot in _slots.Where(static slot => slot.IsBusy))
            {
                Counters.Load.CountUnfinished(slot.Intended, now, _pacing, _window);
            }

            Counters.Load.CountNeverBegun(now, _pacing, _window);
        }
    }

    private void CountOpened()
    {
        lock (_gate)
        {
            Counters.Connections += _window.Contains(LoadClock.Now) ? 1 : 0;
        }
    }

    private void CountReceived(int count)
    {
        lock (_gate)
        {
            Counters.BytesReceived += _window.Contains(LoadClock.Now) ? count : 0;
        }
    }

    private void CountSent(int count)
    {
        lock (_gate)
        {
            Counters.BytesSent += _window.Contains(LoadClock.Now) ? count : 0;
        }
    }

    /// <summary>Room for one request at a time.</summary>
    /// <param name="invoker">Of its connection; null if each request has a connection of its own.</param>
    private sealed class Slot(HttpMessageInvoker? invoker)
    {
        private const int BufferSize = 16 * 1024;

        public HttpMessageInvoker? Invoker => invoker;

        public byte[] Buffer { get; } = new byte[BufferSize];

        /// <summary>When the request under way should have begun.</summary>
        public long Intended { get; set; }

        /// <summary>Whether a request is under way.</summary>
        public bool IsBusy { get; set; }

        public Task Serving { get; set; } = Task.CompletedTask;
    }
}
