using System.Net.Sockets;
using System.Text;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>The socket on which systemd hears its services: each datagram is one state.</summary>
internal sealed class ServiceManagerSocket : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public ServiceManagerSocket(string path)
    {
        Address = path;
        _socket.Bind(new UnixDomainSocketEndPoint(path));
    }

    /// <summary>For NOTIFY_SOCKET.</summary>
    public string Address { get; }

    /// <summary>The next state, its variables by name.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReceiveAsync()
    {
        byte[] state = new byte[4096];
        using var limit = new CancellationTokenSource(Limit);
        int length = await _socket.ReceiveAsync(state, SocketFlags.None, limit.Token);
        return Encoding.UTF8.GetString(state, 0, length).Split('\n').Select(static line => line.Split('=', 2)).ToDictionary(static pair => pair[0], static pair => pair[1]);
    }

    public void Dispose() => _socket.Dispose();
}
