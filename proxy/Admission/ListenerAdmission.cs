using System.Net;
using Microsoft.AspNetCore.Connections;
using WarpProxy.Listeners;
using WarpProxy.ProxyProtocol;

namespace WarpProxy.Admission;

/// <summary>Lets connections to one listener in, or not. Any thread.</summary>
internal sealed class ListenerAdmission
{
    private const int NoLimit = int.MaxValue - 1;       // one more is counted for a moment

    private readonly BoundedCount _open = new(NoLimit);
    private volatile bool _hasHandshakes;
    private volatile bool _isSenderClient;      // or else a load balancer, which tells of the client
    private long _accepted;

    /// <summary>Made by <see cref="ConnectionAdmission.Add"/>.</summary>
    public ListenerAdmission(ConnectionAdmission process, Listener listener)
    {
        Process = process;
        Refusals = new RefusalCounters(process.Refusals);
        Configure(listener);
    }

    /// <summary>What counts for all listeners.</summary>
    public ConnectionAdmission Process { get; }

    /// <summary>The listener's.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Connections open now.</summary>
    public int OpenCount => _open.Value;

    /// <summary>Connections let in since the start.</summary>
    public long AcceptedCount => Interlocked.Read(ref _accepted);

    /// <summary>The most connections; null when the listener has no limit of its own.</summary>
    public int? MaxConnections => _open.Limit < NoLimit ? _open.Limit : null;

    /// <summary>Connections that were refused here.</summary>
    public RefusalCounters Refusals { get; }

    /// <summary>Connections by address; null when they are not counted.</summary>
    public AddressCounts? Addresses { get; private set; }

    /// <summary>Takes the limits of a configuration, for the connections to come. Those that are there stay, and are counted.</summary>
    public void Configure(Listener listener)
    {
        Name = listener.Name;
        _open.Limit = listener.Options.MaxConnections ?? NoLimit;
        _hasHandshakes = listener.Address.IsHttps;
        _isSenderClient = listener.Options.ProxyProtocol == ProxyProtocolMode.Off;
        if (Addresses is { } addresses)
        {
            // Not another one: who is counted here is counted out here.
            addresses.Limit = listener.Options.MaxConnectionsPerAddress ?? NoLimit;
        }
        else if (listener.Options.MaxConnectionsPerAddress is { } limit)
        {
            Addresses = new AddressCounts(limit);
        }
    }

    /// <summary>Done when another connection may be taken. Until then a crowd waits in the kernel.</summary>
    public Task WhenRoomAsync() => _hasHandshakes ? Process.WhenRoomAsync() : Task.CompletedTask;

    /// <summary>Counts a connection in, before anything is made for it. Null: to be reset.</summary>
    public AdmittedConnection? TryAdmit(EndPoint? sender)
    {
        if (!Process.Open.TryAdd())
        {
            return Refuse(RefusalReason.Total);
        }

        if (!_open.TryAdd())
        {
            Process.Open.Remove();
            return Refuse(RefusalReason.Listener);
        }

        var admitted = new AdmittedConnection(this, sender);
        RefusalReason? refusal = _isSenderClient && !TryCountAddress(admitted, sender) ? RefusalReason.Address
            : _hasHandshakes && !Process.TryBeginHandshake(admitted, this) ? RefusalReason.Handshakes
            : null;
        if (refusal is { } reason)
        {
            admitted.End();
            return Refuse(reason);
        }

        Interlocked.Increment(ref _accepted);   // counts alone
        return admitted;
    }

    /// <summary>Counts connections by the addresses that load balancers tell. To be called after the PROXY protocol was put on them.</summary>
    public void ConfigureClients(IConnectionBuilder connections)
    {
        if (_isSenderClient || Addresses is null)
        {
            return;
        }

        connections.Use(next => connection =>
        {
            if (connection.Features.Get<AdmittedConnection>() is not { } admitted || TryCountAddress(admitted, connection.RemoteEndPoint))
            {
                return next(connection);
            }

            Refuse(RefusalReason.Address);
            connection.Abort(new ConnectionAbortedException("The client has as many connections as it may."));
            return Task.CompletedTask;
        });
    }

    /// <summary>Counts a connection out.</summary>
    internal void Leave()
    {
        _open.Remove();
        Process.Open.Remove();
    }

    /// <summary>Without an address (a header of the load balancer's own has none) there is nothing to count.</summary>
    private bool TryCountAddress(AdmittedConnection admitted, EndPoint? client)
    {
        if (Addresses is null || client is not IPEndPoint { Address: var address })
        {
            return true;
        }

        UInt128 key = AddressCounts.KeyOf(address);
        if (!Addresses.TryAdd(key))
        {
            return false;
        }

        admitted.CountAddress(key);
        return true;
    }

    private AdmittedConnection? Refuse(RefusalReason reason)
    {
        Refusals.Add(reason);
        return null;
    }
}
