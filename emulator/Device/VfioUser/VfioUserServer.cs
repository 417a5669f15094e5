using System.Runtime.InteropServices;
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
    private const int SpareConnections = 16;

    private static readonly TimeSpan IdleTimeout = TimeSpan.FromHours(1);
    private static readonly TimeSpan OpenCheckInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly EmulatedAccelerator _accelerator;
    private readonly ProtocolCapabilities _capabilities;
    private readonly EmulatorOptions _options;
    private readonly int _maxConnections;
    private readonly UnixListener _listener;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly EventFd _wake = new();
    private readonly List<ClientConnection> _clients = [];
    private readonly List<FileDescriptor> _polled = [];
    private readonly byte[] _reply = new byte[ProtocolCapabilities.MaxMessageBytes];
    private readonly Thread _thread;
    private long _accepted;
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
        logger.Listening(path);
        server._thread.Start();
        return server;
    }

    private void Run()
    {
        while (!_stopping)
        {
            bool[] ready = Wait();
            _ = _wake.TryConsume();

            // Before new ones are accepted, so that the indices of the poll still hold; from the last, since some are removed.
            for (int i = _clients.Count - 1; i >= 0; i--)
            {
                if (ready[i + 2] && _clients[i].Serve() is string reason)
                {
                    Disconnect(i, reason);
                }
            }

            // The exchange comes before the clients are looked at: who connects later is asked to leave by the next fault only.
            bool isFault = Interlocked.Exchange(ref _isDisconnecting, 0) == 1;
            while (isFault && _clients.Count > 0)
            {
                Disconnect(_clients.Count - 1, "a fault of the plan");
            }

            DisconnectUnopened();
            if (_acceptPaused || ready[1])
            {
                Accept();
            }
        }

        int count = _clients.Count;
        while (_clients.Count > 0)
        {
            Disconnect(_clients.Count - 1, "the device is closing");
        }

        _listener.Dispose();
        _logger.Closed(Path, count);
    }

    private void DisconnectAll()
    {
        Interlocked.Exchange(ref _isDisconnecting, 1);
        _wake.Signal();
    }

    /// <summary>Sleeps until something is to be done. Index 0 is the wake-up, 1 the listener, then the clients.</summary>
    private bool[] Wait()
    {
        _polled.Clear();
        _polled.Add(_wake.File);

        // While accepting fails the listener would be ready all the time.
        _polled.Add(_acceptPaused ? _wake.File : _listener.File);
        TimeSpan timeout = _acceptPaused ? AcceptPause : IdleTimeout;
        foreach (ClientConnection client in _clients)
        {
            _polled.Add(client.File);
            if (!client.IsOpen && timeout > OpenCheckInterval)
            {
                timeout = OpenCheckInterval;
            }
        }

        var ready = new bool[_polled.Count];
        _ = Poll.WaitReadable(CollectionsMarshal.AsSpan(_polled), ready, timeout);
        return ready;
    }

    private void Accept()
    {
        try
        {
            while (_listener.TryAccept() is UnixSocket socket)
            {
                Take(socket);
            }

            _acceptPaused = false;
        }
        catch (LinuxException failure)
        {
            // Most likely no descriptor is left; clients that go will free some.
            if (!_acceptPaused)
            {
                _logger.AcceptFailed(failure.Message);
            }

            _acceptPaused = true;
        }
    }

    private void Take(UnixSocket socket)
    {
        if (_clients.Count >= _maxConnections)
        {
            socket.Dispose();
            _logger.TooManyConnections(_clients.Count);
            return;
        }

        int processId;
        uint userId;
        uint groupId;
        try
        {
            (processId, userId, groupId) = socket.PeerCredentials;
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        if (!IsAllowed(userId, groupId))
        {
            socket.Dispose();
            _logger.NotAllowed(processId, userId, groupId);
            return;
        }

        var interpreter = new CommandInterpreter(_accelerator, _capabilities);
        var client = new ClientConnection(++_accepted, socket, interpreter, _reply, _logger) { AcceptedAt = _time.GetTimestamp() };
        _clients.Add(client);
        _logger.Connected(client.Number, processId, userId);
    }

    private bool IsAllowed(uint userId, uint groupId) =>
        (_options.AllowedUsers.Count == 0 && _options.AllowedGroups.Count == 0)
        || _options.AllowedUsers.Contains(userId)
        || _options.AllowedGroups.Contains(groupId);

    /// <summary>A connection that asks for nothing would keep a place that others need.</summary>
    private void DisconnectUnopened()
    {
        for (int i = _clients.Count - 1; i >= 0; i--)
        {
            if (!_clients[i].IsOpen && _time.GetElapsedTime(_clients[i].AcceptedAt) >= OpenTimeout)
            {
                Disconnect(i, $"no VERSION within {OpenTimeout.TotalSeconds:0} s");
            }
        }
    }

    private void Disconnect(int index, string reason)
    {
        ClientConnection client = _clients[index];
        _clients.RemoveAt(index);
        client.Dispose();
        _logger.Disconnected(client.Number, reason);
    }
}
