using WarpProxy.Listeners;

namespace WarpProxy.Admission;

/// <summary>
/// How many connections and handshakes there are, and may be: on each listener, from each address, and in the whole process. Who is too much is
/// reset where it is accepted, before anything is made for it. Any thread.
/// </summary>
internal sealed class ConnectionAdmission
{
    // For the log, files of certificates, devices, and some connections to upstreams.
    private const int OtherFiles = 256;

    private readonly Lock _gate = new();
    private readonly long? _openFiles;
    private readonly Func<Task>? _whenRoom;
    private ListenerAdmission[] _listeners = [];        // replaced whole, so that it can be read without the gate

    /// <summary>Prepares it.</summary>
    /// <param name="limits">Section <c>Limits</c>.</param>
    /// <param name="maxHandshakes">The most under way at once.</param>
    /// <param name="time">The clock.</param>
    /// <param name="openFiles">The limit of open files; null: this process's.</param>
    /// <param name="whenRoom">Done when another connection that begins with a handshake may be taken; null: any time.</param>
    public ConnectionAdmission(LimitOptions limits, int maxHandshakes, TimeProvider time, long? openFiles = null, Func<Task>? whenRoom = null)
    {
        _openFiles = openFiles;
        _whenRoom = whenRoom;
        Open = new BoundedCount(LimitOf(limits));
        Handshakes = new BoundedCount(maxHandshakes);
        Hellos = new AwaitedHellos(time);
    }

    /// <summary>Connections of all listeners.</summary>
    public BoundedCount Open { get; }

    /// <summary>Handshakes of all listeners, from the connection on: those that wait for the client too.</summary>
    public BoundedCount Handshakes { get; }

    /// <summary>Those whose ClientHello has not come.</summary>
    public AwaitedHellos Hellos { get; }

    /// <summary>Connections that were refused by all listeners, those that are gone too: what is told of the process never counts back.</summary>
    public RefusalCounters Refusals { get; } = new();

    /// <summary>The listeners, in the order in which they were added.</summary>
    public IReadOnlyList<ListenerAdmission> Listeners => Volatile.Read(ref _listeners);

    /// <summary>Adds a listener.</summary>
    public ListenerAdmission Add(Listener listener)
    {
        var admission = new ListenerAdmission(this, listener);
        lock (_gate)
        {
            Volatile.Write(ref _listeners, [.. _listeners, admission]);     // after its elements
        }

        return admission;
    }

    /// <summary>It is gone.</summary>
    public void Remove(ListenerAdmission admission)
    {
        lock (_gate)
        {
            Volatile.Write(ref _listeners, [.. _listeners.Where(other => other != admission)]);     // likewise
        }
    }

    /// <summary>Takes the limits of another configuration, for the connections to come.</summary>
    public void Configure(LimitOptions limits, int maxHandshakes)
    {
        Open.Limit = LimitOf(limits);
        Handshakes.Limit = maxHandshakes;
    }

    /// <summary>Done when another connection that begins with a handshake may be taken. Until then a crowd waits in the kernel.</summary>
    internal Task WhenRoomAsync() => _whenRoom?.Invoke() ?? Task.CompletedTask;

    private int LimitOf(LimitOptions limits) => limits.MaxConnections
        ?? (int)Math.Clamp((_openFiles ?? OpenFiles.ReadLimit()) - OtherFiles, OtherFiles, LimitOptions.MaxLimit);

    /// <summary>Counts a handshake, in the place of another if need be. False when there is no room.</summary>
    internal bool TryBeginHandshake(AdmittedConnection admitted, ListenerAdmission listener)
    {
        while (!Handshakes.TryAdd())
        {
            if (Hellos.TakeSlowest() is not { } slowest)
            {
                return false;
            }

            listener.Refusals.Add(RefusalReason.Evicted);
            slowest.Evict();
        }

        admitted.CountHandshake();
        return true;
    }
}
