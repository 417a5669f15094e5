using Microsoft.Extensions.Logging;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Emulator.VfioUser;

/// <summary>
/// Offers an accelerator to other processes on a Unix socket: each connection is one queue pair (accel/README.md). One
/// thread serves the messages of all clients, which are for set-up; operations travel through memory that it never reads.
/// </summary>
public sealed class VfioUserServer : IDisposable
{
    /// <summary>Connections allowed beyond one for each queue: those that have not sent VERSION yet, or come for a refusal.</summary>
    private const int SpareConnections = 64;

    // Who connects in a loop gets his turn again after the clients had theirs.
    private const int MaxAcceptedPerTurn = 16;

    // Of those that clients should not have sent. Reached only when closing them waits, for many at once.
    private const int MaxOutstandingDescriptors = 1024;

    private const long WakeTag = 0;
    private const long ListenerTag = 1;
    private const long FirstClientTag = 2;

    private static readonly TimeSpan IdleTimeout = TimeSpan.FromHours(1);
    private static readonly TimeSpan OpenCheckInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(50);

    // A connection that has not said anything for so long makes room for one that wants to.
    private static readonly TimeSpan SilentTime = TimeSpan.FromSeconds(1);

    private readonly EmulatedAccelerator _accelerator;
    private readonly ProtocolCapabilities _capabilities;
    private readonly EmulatorOptions _options;
    private readonly int _maxConnections;
    private readonly UnixListener _listener;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly EventFd _wake = new();
    private readonly DescriptorPoller _poller = new();
    private readonly Dictionary<long, ClientConnection> _clients = [];      // by number
    private readonly List<ClientConnection> _unopened = [];                 // in the order of their coming; those before VERSION, and some that it just opened
    private readonly DescriptorCloser _closer = new();
    private readonly UserQuota _quota;
    private readonly LogBudget _budget;
    private readonly byte[] _reply = new byte[ProtocolCapabilities.MaxMessageBytes];
    private readonly Thread _thread;
    private long _accepted;
    private int _connectionCount;      // of _clients, for others to read
    private bool _acceptPaused;
    private int _isDisconnecting;       // 1: a fault asks for it
    private volatile bool _stopping;
    private bool _disposed;

    private VfioUserServer(
        EmulatedAccelerator accelerator,
        EmulatorOptions options,
        UnixListener listener,
        string path,
        ILogger logger,
        TimeProvider time)
    {
        _accelerator = accelerator;
        _capabilities = ProtocolCapabilities.Emulated with { MaxDmaMappings = (uint)options.MaxDmaMaps };
        _options = options;
        _maxConnections = options.MaxQueues + SpareConnections;
        _quota = new UserQuota(options.MaxQueuesPerUser);
        _budget = new LogBudget(time);
        _listener = listener;
        Path = path;
        _logger = logger;
        _time = time;
        if (accelerator.Faults is { } faults)
        {
            faults.Disconnecting += DisconnectAll;
        }

        _thread = new Thread(Run) { Name = "warp-vfio-user", IsBackground = true };
    }

    /// <summary>How long a connection may exist before its VERSION.</summary>
    public static TimeSpan OpenTimeout { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Connections that are open, those without a queue too.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <summary>Descriptors that clients should not have sent and that are not closed yet.</summary>
    internal int OutstandingDescriptors => _closer.Outstanding;

    /// <summary>The socket file.</summary>
    public string Path { get; }

    /// <summary>
    /// Listens on a path and serves until disposed. A socket at this path that nobody listens on any more is removed;
    /// the new one can be reached by owner and group.
    /// </summary>
    /// <param name="accelerator">What is offered; it must outlive the server.</param>
    /// <param name="options">Those that the accelerator was made with: clients are told its limits.</param>
    /// <param name="path">At most 107 bytes, in a directory that exists.</param>
    /// <param name="logger">For clients that come and go.</param>
    /// <exception cref="SocketPathException">The path is unusable, holds something else, or another server answers there.</exception>
    public static VfioUserServer Listen(EmulatedAccelerator accelerator, EmulatorOptions options, string path, ILogger logger) =>
        Listen(accelerator, options, path, logger, TimeProvider.System);

    /// <summary>Disconnects all clients, closes their queues and removes the socket file.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_accelerator.Faults is { } faults)
        {
            faults.Disconnecting -= DisconnectAll;
        }

        _stopping = true;
        _wake.Signal();
        _thread.Join();
        _wake.Dispose();
        _poller.Dispose();
        _closer.Dispose();
    }

    /// <summary>As above, with a clock of the caller's.</summary>
    internal static VfioUserServer Listen(
        EmulatedAccelerator accelerator,
        EmulatorOptions options,
        string path,
        ILogger logger,
        TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(logger);
        var server = new VfioUserServer(accelerator, options, SocketPath.Take(path, logger), path, logger, time);
        server._poller.Add(server._wake.File, WakeTag);
        server._poller.Add(server._listener.File, ListenerTag);
        logger.Listening(path);
        if (!EventFd.CanSignalPeersSafely)
        {
            logger.SignalsMayWait();
        }

        server._thread.Start();
        return server;
    }

    private void Run()
    {
        var ready = new long[DescriptorPoller.MaxEvents];
        while (!_stopping)
        {
            int count = _poller.Wait(ready, NextWait());
            _ = _wake.TryConsume();
            foreach (long tag in ready.AsSpan(0, count))
            {
                // One that was disconnected since is not there any more.
                if (tag >= FirstClientTag && _clients.TryGetValue(tag - FirstClientTag, out ClientConnection? client) && client.Serve() is string reason)
                {
                    Disconnect(client, reason);
                }
            }

            // The exchange comes before the clients are looked at: who connects later is asked to leave by the next fault only.
            if (Interlocked.Exchange(ref _isDisconnecting, 0) == 1)
            {
                DisconnectEveryone("a fault of the plan");
            }

            DisconnectUnopened();
            if (_acceptPaused || ready.AsSpan(0, count).Contains(ListenerTag))
            {
                Accept();
            }
        }

        int clients = _clients.Count;
        DisconnectEveryone("the device is closing");
        _listener.Dispose();
        if (_budget.LeftOut > 0)
        {
            _logger.LinesLeftOut(_budget.LeftOut);
        }

        _logger.Closed(Path, clients);
    }

    private void DisconnectAll()
    {
        Interlocked.Exchange(ref _isDisconnecting, 1);
        _wake.Signal();
    }

    private TimeSpan NextWait() => _acceptPaused ? AcceptPause : _unopened.Count > 0 ? OpenCheckInterval : IdleTimeout;

    private void Accept()
    {
        bool isPaused = false;
        try
        {
            for (int accepted = 0; accepted < MaxAcceptedPerTurn; accepted++)
            {
                if (_clients.Count >= _maxConnections && !MakeRoom())
                {
                    // Those who connect wait in the listener's queue; the clients that keep the places soon speak, or make room.
                    isPaused = true;
                    if (!_acceptPaused && MayLog())
                    {
                        _logger.TooManyConnections(_clients.Count, _unopened.Count);
                    }

                    break;
                }

                if (_listener.TryAccept() is not UnixSocket socket)
                {
                    break;
                }

                Take(socket);
            }
        }
        catch (LinuxException failure)
        {
            // Most likely no descriptor is left; clients that go will free some.
            isPaused = true;
            if (!_acceptPaused && MayLog())
            {
                _logger.AcceptFailed(failure.Message);
            }
        }

        PauseAccepting(isPaused);
    }

    /// <summary>While nobody can be accepted the listener would be ready all the time.</summary>
    private void PauseAccepting(bool isPaused)
    {
        if (isPaused != _acceptPaused)
        {
            _acceptPaused = isPaused;
            if (isPaused)
            {
                _poller.Remove(_listener.File);
            }
            else
            {
                _poller.Add(_listener.File, ListenerTag);
            }
        }
    }

    /// <summary>
    /// Ends a connection that keeps a place without a queue: the oldest of the user who has most of them, so that one user's silent connections
    /// keep nobody else out. Returns false when all of them may still be about to speak.
    /// </summary>
    private bool MakeRoom()
    {
        _unopened.RemoveAll(static client => client.IsOpen);
        if (_unopened.Count == 0)
        {
            return false;
        }

        uint user = _unopened.CountBy(static client => client.UserId).MaxBy(static count => count.Value).Key;
        ClientConnection oldest = _unopened.First(client => client.UserId == user);
        if (_time.GetElapsedTime(oldest.AcceptedAt) < SilentTime)
        {
            return false;
        }

        Disconnect(oldest, $"it said nothing for {SilentTime.TotalSeconds:0} s, and others want its place");
        return true;
    }

    private void Take(UnixSocket socket)
    {
        try
        {
            (int processId, uint userId, uint groupId) = socket.PeerCredentials;
            if (!IsAllowed(userId, groupId))
            {
                socket.Dispose();
                if (MayLog())
                {
                    _logger.NotAllowed(processId, userId, groupId);
                }

                return;
            }

            if (_closer.Outstanding >= MaxOutstandingDescriptors)
            {
                socket.Dispose();
                if (MayLog())
                {
                    _logger.TooManyDescriptors(processId, _closer.Outstanding);
                }

                return;
            }

            _poller.Add(socket.File, FirstClientTag + _accepted + 1);
            var interpreter = new CommandInterpreter(_accelerator, _capabilities, _quota, userId);
            var client = new ClientConnection(++_accepted, socket, interpreter, _closer, _reply, _budget, _logger)
            {
                UserId = userId,
                AcceptedAt = _time.GetTimestamp(),
            };
            _clients.Add(client.Number, client);
            _unopened.Add(client);
            Volatile.Write(ref _connectionCount, _clients.Count);
            if (MayLog())
            {
                _logger.Connected(client.Number, processId, userId);
            }
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private bool IsAllowed(uint userId, uint groupId) =>
        (_options.AllowedUsers.Count == 0 && _options.AllowedGroups.Count == 0)
        || _options.AllowedUsers.Contains(userId)
        || _options.AllowedGroups.Contains(groupId);

    /// <summary>A connection that asks for nothing would keep a place that others need.</summary>
    private void DisconnectUnopened()
    {
        _unopened.RemoveAll(static client => client.IsOpen);
        while (_unopened.Count > 0 && _time.GetElapsedTime(_unopened[0].AcceptedAt) >= OpenTimeout)
        {
            Disconnect(_unopened[0], $"no VERSION within {OpenTimeout.TotalSeconds:0} s");
        }
    }

    private void DisconnectEveryone(string reason)
    {
        foreach (ClientConnection client in _clients.Values.ToArray())
        {
            Disconnect(client, reason);
        }
    }

    private void Disconnect(ClientConnection client, string reason)
    {
        _clients.Remove(client.Number);
        _unopened.Remove(client);
        _poller.Remove(client.File);
        client.Dispose();
        Volatile.Write(ref _connectionCount, _clients.Count);
        if (MayLog())
        {
            _logger.Disconnected(client.Number, reason);
        }
    }

    private bool MayLog()
    {
        bool may = _budget.TryTake(out int leftOut);
        if (may && leftOut > 0)
        {
            _logger.LinesLeftOut(leftOut);
        }

        return may;
    }
}
