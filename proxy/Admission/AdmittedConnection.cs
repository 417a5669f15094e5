using System.Net;
using Microsoft.AspNetCore.Connections;

namespace WarpProxy.Admission;

/// <summary>
/// What one connection counts for, and gives back: a feature of it, set where it is taken. Every member may be called any number of times, by any
/// thread; each thing is given back once.
/// </summary>
internal sealed class AdmittedConnection
{
    private readonly ListenerAdmission _listener;
    private ConnectionContext? _connection;
    private Action? _begun;
    private UInt128 _address;

    // 1 while it counts as such; Interlocked takes it back once.
    private int _isOpen = 1;
    private int _isHandshaking;
    private int _isAddressCounted;

    /// <summary>Counted by <see cref="ListenerAdmission.TryAdmit"/>.</summary>
    public AdmittedConnection(ListenerAdmission listener, EndPoint? sender)
    {
        _listener = listener;
        Sender = sender;
        Node = new LinkedListNode<AdmittedConnection>(this);
    }

    /// <summary>Who opened the connection; whom a PROXY protocol header names is somebody else.</summary>
    public EndPoint? Sender { get; }

    /// <summary>For <see cref="AwaitedHellos"/>, under its lock.</summary>
    public LinkedListNode<AdmittedConnection> Node { get; }

    /// <summary>Likewise: when it was taken.</summary>
    public long Since { get; set; }

    /// <summary>Says what the connection is, and whom to tell when it is served.</summary>
    public void Attach(ConnectionContext connection, Action begun)
    {
        _begun = begun;

        // Another thread that evicts sees it, or nothing.
        Volatile.Write(ref _connection, connection);
        connection.Features.Set(this);
    }

    /// <summary>A thread has begun to serve it.</summary>
    public void Begin() => Interlocked.Exchange(ref _begun, null)?.Invoke();

    /// <summary>Its ClientHello is whole.</summary>
    public void HelloArrived() => _listener.Process.Hellos.Remove(this);

    /// <summary>Its handshake is over, one way or another.</summary>
    public void EndHandshake()
    {
        if (Interlocked.Exchange(ref _isHandshaking, 0) != 0)
        {
            HelloArrived();
            _listener.Process.Handshakes.Remove();
        }
    }

    /// <summary>Counts that it was refused after all; it still has to end.</summary>
    public void CountRefusal(RefusalReason reason) => _listener.Refusals.Add(reason);

    /// <summary>It is over.</summary>
    public void End()
    {
        Begin();
        EndHandshake();
        if (Interlocked.Exchange(ref _isOpen, 0) != 0)
        {
            if (Interlocked.Exchange(ref _isAddressCounted, 0) != 0)
            {
                _listener.Addresses!.Remove(_address);
            }

            _listener.Leave();
        }
    }

    /// <summary>Resets it, from outside of whoever serves it.</summary>
    public void Evict()
    {
        EndHandshake();
        Volatile.Read(ref _connection)?.Abort(new ConnectionAbortedException("Others had to be let in, and its ClientHello had not arrived."));
    }

    /// <summary>From now on it counts as a handshake.</summary>
    internal void CountHandshake()
    {
        Volatile.Write(ref _isHandshaking, 1);
        _listener.Process.Hellos.Add(this);
    }

    /// <summary>From now on it counts for an address.</summary>
    internal void CountAddress(UInt128 address)
    {
        _address = address;
        Volatile.Write(ref _isAddressCounted, 1);   // after the address, which whoever takes it back reads
    }
}
