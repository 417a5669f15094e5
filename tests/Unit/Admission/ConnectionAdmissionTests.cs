using System.Net;
using WarpProxy.Admin;
using WarpProxy.Admission;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Admission;

public sealed class ConnectionAdmissionTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void As_many_connections_as_there_may_be_are_let_in_on_all_listeners_together()
    {
        ConnectionAdmission process = Process(maxConnections: 3);
        ListenerAdmission first = process.Add(Listener("a"));
        ListenerAdmission second = process.Add(Listener("b"));
        AdmittedConnection admitted = first.TryAdmit(Client(1))!;
        Assert.NotNull(second.TryAdmit(Client(2)));
        Assert.NotNull(first.TryAdmit(Client(3)));
        Assert.Null(second.TryAdmit(Client(4)));
        Assert.Equal((3, 2, 1), (process.Open.Value, first.OpenCount, second.OpenCount));
        Assert.Equal((0, 1), (first.Refusals.Count(RefusalReason.Total), second.Refusals.Count(RefusalReason.Total)));

        admitted.End();
        Assert.NotNull(second.TryAdmit(Client(4)));
        Assert.Equal((3, 1, 2), (process.Open.Value, first.OpenCount, second.OpenCount));
    }

    [Fact]
    public void Listener_has_its_own_limit_and_one_refused_counts_nowhere_else()
    {
        ConnectionAdmission process = Process();
        ListenerAdmission listener = process.Add(Listener("a", maxConnections: 1));
        Assert.NotNull(listener.TryAdmit(Client(1)));
        Assert.Null(listener.TryAdmit(Client(2)));
        Assert.Equal((1, 1, 1), (process.Open.Value, listener.OpenCount, process.Handshakes.Value));
        Assert.Equal((1L, 1L), (listener.AcceptedCount, listener.Refusals.Count(RefusalReason.Listener)));
        Assert.NotNull(process.Add(Listener("b")).TryAdmit(Client(2)));
    }

    [Fact]
    public void Refusals_of_a_listener_that_is_gone_still_count()
    {
        ConnectionAdmission process = Process();
        ListenerAdmission first = process.Add(Listener("a", maxConnections: 1));
        ListenerAdmission second = process.Add(Listener("b", maxConnections: 1));
        foreach (ListenerAdmission listener in new[] { first, first, second, second })
        {
            listener.TryAdmit(Client(1));
        }

        Assert.Equal(2, ConnectionStatus.Read(process).Refused["listener"]);
        process.Remove(first);
        ConnectionStatus status = ConnectionStatus.Read(process);
        Assert.Equal((2, 1), (status.Refused["listener"], Assert.Single(status.Listeners).Refused));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2")]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1")]
    public void Address_has_its_own_limit(string one, string same, string other)
    {
        ListenerAdmission listener = Process().Add(Listener("a", perAddress: 2));
        AdmittedConnection admitted = listener.TryAdmit(Client(one))!;
        Assert.NotNull(listener.TryAdmit(Client(same)));
        Assert.Null(listener.TryAdmit(Client(one)));
        Assert.NotNull(listener.TryAdmit(Client(other)));
        Assert.Equal((2, 3), (listener.Addresses!.AddressCount, listener.OpenCount));
        Assert.Equal(1, listener.Refusals.Count(RefusalReason.Address));

        admitted.End();
        Assert.NotNull(listener.TryAdmit(Client(same)));
    }

    [Fact]
    public void Addresses_without_a_connection_are_forgotten()
    {
        ListenerAdmission listener = Process(maxHandshakes: 200).Add(Listener("a", perAddress: 2));
        AdmittedConnection[] admitted = [.. Enumerable.Range(0, 200).Select(i => listener.TryAdmit(Client(i))!)];
        Assert.Equal(200, listener.Addresses!.AddressCount);
        Array.ForEach(admitted, connection => connection.End());
        Assert.Equal(0, listener.Addresses.AddressCount);
    }

    [Fact]
    public void Behind_a_load_balancer_its_own_address_is_not_counted()
    {
        ListenerAdmission listener = Process().Add(Listener("a", perAddress: 1, mode: ProxyProtocolMode.Required));
        Assert.NotNull(listener.TryAdmit(Client(1)));
        Assert.NotNull(listener.TryAdmit(Client(1)));
    }

    [Fact]
    public void Everything_is_given_back_once_however_often_it_ends()
    {
        ConnectionAdmission process = Process(maxHandshakes: 2);
        ListenerAdmission listener = process.Add(Listener("a", maxConnections: 2, perAddress: 2));
        AdmittedConnection first = listener.TryAdmit(Client(1))!;
        AdmittedConnection second = listener.TryAdmit(Client(1))!;
        first.EndHandshake();
        first.EndHandshake();
        Assert.Equal((1, 1), (process.Handshakes.Value, process.Hellos.Count));
        first.End();
        first.End();
        first.EndHandshake();
        Assert.Equal((1, 1, 1, 1), (process.Open.Value, listener.OpenCount, process.Handshakes.Value, process.Hellos.Count));
        second.End();
        Assert.Equal((0, 0, 0, 0), (process.Open.Value, listener.OpenCount, process.Handshakes.Value, process.Hellos.Count));
        Assert.Equal(0, listener.Addresses!.AddressCount);
    }

    [Fact]
    public void Handshakes_are_limited_and_connections_of_http_have_none()
    {
        ConnectionAdmission process = Process(maxHandshakes: 1);
        ListenerAdmission https = process.Add(Listener("a"));
        ListenerAdmission http = process.Add(Listener("b", "http://127.0.0.1:0"));
        AdmittedConnection first = https.TryAdmit(Client(1))!;
        Assert.Null(https.TryAdmit(Client(2)));
        Assert.Equal(1, https.Refusals.Count(RefusalReason.Handshakes));
        Assert.NotNull(http.TryAdmit(Client(2)));
        first.EndHandshake();
        Assert.NotNull(https.TryAdmit(Client(2)));
        Assert.Equal(3, process.Open.Value);
    }

    [Fact]
    public void Who_has_owed_the_ClientHello_longest_makes_room()
    {
        ConnectionAdmission process = Process(maxHandshakes: 2);
        ListenerAdmission listener = process.Add(Listener("a"));
        AdmittedConnection slow = listener.TryAdmit(Client(1))!;
        _time.Advance(AwaitedHellos.Patience);
        AdmittedConnection later = listener.TryAdmit(Client(2))!;
        Assert.NotNull(listener.TryAdmit(Client(3)));
        Assert.Equal((2, 1), (process.Handshakes.Value, listener.Refusals.Count(RefusalReason.Evicted)));

        // Nobody has waited long enough now.
        Assert.Null(listener.TryAdmit(Client(4)));
        slow.End();
        later.End();
        Assert.Equal((1, 1), (process.Handshakes.Value, process.Open.Value));
    }

    [Fact]
    public void Who_has_sent_the_ClientHello_is_not_sent_away()
    {
        ConnectionAdmission process = Process(maxHandshakes: 1);
        ListenerAdmission listener = process.Add(Listener("a"));
        listener.TryAdmit(Client(1))!.HelloArrived();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(listener.TryAdmit(Client(2)));
        Assert.Equal(0, listener.Refusals.Count(RefusalReason.Evicted));
    }

    [Theory]
    [InlineData(1024L, 768)]
    [InlineData(20000L, 19744)]
    [InlineData(100L, 256)]
    [InlineData(long.MaxValue, LimitOptions.MaxLimit)]
    public void Without_a_setting_the_limit_of_open_files_counts(long openFiles, int connections) =>
        Assert.Equal(connections, new ConnectionAdmission(new LimitOptions(), 1, _time, openFiles).Open.Limit);

    [Fact]
    public void Limit_of_open_files_is_read_from_what_the_kernel_says()
    {
        Assert.InRange(OpenFiles.ReadLimit(), 1, long.MaxValue);
        Assert.Equal(1024, OpenFiles.ParseLimit(["Limit                     Soft Limit           Hard Limit           Units     ", "Max open files            1024                 4096                 files     "]));
        Assert.Equal(long.MaxValue, OpenFiles.ParseLimit(["Max open files            unlimited            unlimited            files     "]));
        Assert.Throws<IOException>(() => OpenFiles.ParseLimit(["Max processes 1 2"]));
    }

    private ConnectionAdmission Process(int? maxConnections = null, int maxHandshakes = 100) =>
        new(new LimitOptions { MaxConnections = maxConnections }, maxHandshakes, _time);

    private static Listener Listener(
        string name, string url = "https://127.0.0.1:0", int? maxConnections = null, int? perAddress = null, ProxyProtocolMode mode = ProxyProtocolMode.Off)
    {
        Assert.True(ListenAddress.TryParse(url, "", out ListenAddress? address, out _));
        return new Listener(
            name, address, new ListenerOptions { Url = url, MaxConnections = maxConnections, MaxConnectionsPerAddress = perAddress, ProxyProtocol = mode });
    }

    private static IPEndPoint Client(int number) => new(new IPAddress([192, 0, 2, (byte)number]), 1024 + number);

    private static IPEndPoint Client(string address) => new(IPAddress.Parse(address), 1024);
}
