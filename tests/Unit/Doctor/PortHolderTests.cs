using System.Net;
using System.Net.Sockets;
using WarpProxy.Doctor;

namespace WarpProxy.Tests.Unit.Doctor;

/// <summary>Who listens on a port.</summary>
public sealed class PortHolderTests
{
    // Of a running Linux; 0x20FB is 8443.
    private const string Listening = "   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0";
    private const string Connected = "   1: 0100007F:20FB 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000 20 4 30 10 -1";
    private const string Listening6 = "   0: 00000000000000000000000000000000:20FB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0";

    [Theory]
    [InlineData(Listening, 8443, "4711")]
    [InlineData(Listening6, 8443, "4713")]
    [InlineData(Listening, 843, null)]
    [InlineData(Connected, 8443, null)]
    [InlineData("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", 8443, null)]
    [InlineData("", 8443, null)]
    public void Inode_is_that_of_the_socket_that_listens(string line, int port, string? inode) =>
        Assert.Equal(inode is null ? [] : [inode], PortHolder.ParseInode(line, port));

    [Fact]
    public void Own_socket_is_found()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        PortHolder? holder = PortHolder.Find(((IPEndPoint)listener.LocalEndpoint).Port);
        Assert.Equal(Environment.ProcessId, holder?.ProcessId);
        Assert.False(holder!.IsProxy);
        Assert.EndsWith($"(process {Environment.ProcessId})", holder.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Port_that_nobody_has_is_nobodys() => Assert.Null(PortHolder.Find(0));
}
