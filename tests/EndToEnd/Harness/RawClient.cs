using System.Net.Sockets;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A client that sends records as it is told, and reads those of the server that are not encrypted.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly TcpClient _socket;

    public RawClient(ProxyProcess proxy) => _socket = new TcpClient(proxy.Url.Host, proxy.Url.Port);

    public ValueTask SendAsync(byte[] bytes) => _socket.GetStream().WriteAsync(bytes);

    /// <summary>Reads records up to the one with the message ServerHelloDone, the last of the server's first flight in TLS 1.2.</summary>
    public async Task ReadServerHelloDoneAsync()
    {
        byte[] record;
        do
        {
            record = await ReadRecordAsync() ?? throw new EndOfStreamException("The server closed the connection before ServerHelloDone.");
            Assert.Equal(22, record[0]);
        }
        while (record is not [.., 14, 0, 0, 0]);
    }

    /// <summary>Reads to the end, which a fatal alert must be: its number.</summary>
    public async Task<int> ReadAlertAsync()
    {
        byte[]? alert = null;
        while (await ReadRecordAsync() is { } record)
        {
            Assert.Null(alert);
            alert = record[0] == 21 ? record : null;
        }

        Assert.Equal([21, 2], [.. alert.AsSpan(0, 1), .. alert.AsSpan(5, 1)]);
        return alert![6];
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Null at the end of the connection.</summary>
    private async Task<byte[]?> ReadRecordAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        byte[] header = new byte[5];
        int count = await _socket.GetStream().ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, limit.Token);
        if (count == 0)
        {
            return null;
        }

        Assert.Equal(header.Length, count);
        byte[] body = new byte[(header[3] << 8) | header[4]];
        await _socket.GetStream().ReadExactlyAsync(body, limit.Token);
        return [.. header, .. body];
    }
}
