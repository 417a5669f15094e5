using System.Net.Sockets;
using System.Text;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

/// <summary>sd_notify(3), against real datagram sockets.</summary>
public sealed class ServiceManagerTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-notify-");
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _reports = [];

    public void Dispose()
    {
        _socket.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void States_are_datagrams_to_a_socket_in_the_file_system_or_an_abstract_one(bool isAbstract)
    {
        string name = isAbstract ? "warp-test-" + Guid.NewGuid() : Path.Combine(_directory.FullName, "notify");
        _socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + name : name));
        using (var manager = new ServiceManager(isAbstract ? '@' + name : name, _reports.Add))
        {
            manager.Ready("Serving https://*:443");
            manager.Reload(() => Assert.StartsWith("READY=1", Receive(), StringComparison.Ordinal), () => "Serving nothing");
            manager.Stopping(TimeSpan.FromSeconds(40));
        }

        Assert.Matches(@"^RELOADING=1\nMONOTONIC_USEC=\d+$", Receive());
        Assert.Equal("READY=1\nSTATUS=Serving nothing", Receive());
        Assert.Equal("STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000", Receive());
        Assert.Empty(_reports);
    }

    [Fact]
    public void Reload_that_throws_is_over_all_the_same()
    {
        using ServiceManager manager = Bound();
        Assert.Throws<InvalidOperationException>(() => manager.Reload(() => throw new InvalidOperationException(), () => "as before"));
        Assert.StartsWith("RELOADING=1", Receive(), StringComparison.Ordinal);
        Assert.Equal("READY=1\nSTATUS=as before", Receive());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_a_manager_nobody_is_told_and_nothing_is_wrong(string? address)
    {
        using var manager = new ServiceManager(address, _reports.Add);
        manager.Ready("x");
        manager.Stopping(TimeSpan.Zero);
        Assert.Empty(_reports);
    }

    [Theory]
    [InlineData("relative", "NOTIFY_SOCKET is 'relative'; it must be a path that begins with /, or @ and a name. The service manager is told nothing.")]
    [InlineData("vsock:2:1234", "NOTIFY_SOCKET is 'vsock:2:1234'; it must be a path that begins with /, or @ and a name. The service manager is told nothing.")]
    public void Address_that_is_none_is_told_once(string address, string sentence)
    {
        using var manager = new ServiceManager(address, _reports.Add);
        manager.Ready("x");
        Assert.Equal([sentence], _reports);
    }

    [Fact]
    public void Address_that_is_too_long_is_told()
    {
        using var manager = new ServiceManager("/" + new string('x', 200), _reports.Add);
        manager.Ready("x");
        Assert.StartsWith("NOTIFY_SOCKET is '/xxx", Assert.Single(_reports), StringComparison.Ordinal);
    }

    [Fact]
    public void Manager_that_is_not_there_is_told_each_time()
    {
        using var manager = new ServiceManager(Path.Combine(_directory.FullName, "nobody"), _reports.Add);
        manager.Ready("x");
        Assert.StartsWith("The service manager could not be told 'READY=1': ", Assert.Single(_reports), StringComparison.Ordinal);
    }

    [Fact]
    public void What_comes_after_the_end_is_told_and_no_failure()
    {
        ServiceManager manager = Bound();
        manager.Dispose();
        manager.Ready("x");
        Assert.StartsWith("The service manager could not be told 'READY=1': ", Assert.Single(_reports), StringComparison.Ordinal);
    }

    private ServiceManager Bound()
    {
        string path = Path.Combine(_directory.FullName, "notify");
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        return new ServiceManager(path, _reports.Add);
    }

    private string Receive()
    {
        byte[] state = new byte[1024];
        _socket.ReceiveTimeout = 60_000;
        return Encoding.UTF8.GetString(state, 0, _socket.Receive(state));
    }
}
