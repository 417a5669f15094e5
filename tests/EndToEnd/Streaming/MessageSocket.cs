using System.Globalization;
using System.Net.WebSockets;

namespace WarpProxy.Tests.EndToEnd.Streaming;

/// <summary>One end of a WebSocket on which both sides send numbered messages at the same time. The client ends it; each tells in its close how many came.</summary>
internal sealed class MessageSocket(WebSocket socket)
{
    /// <summary>The upstream's side: sends until the client has ended, and once at least.</summary>
    public async Task ServeAsync(CancellationToken aborted)
    {
        Task<int> receiving = ReceiveAllAsync(aborted);
        int sent = 0;
        do
        {
            await socket.SendAsync(NumberedMessage.Create(sent++), WebSocketMessageType.Binary, endOfMessage: true, aborted);
        }
        while (!receiving.IsCompleted);

        int received = await receiving;
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, received.ToString(CultureInfo.InvariantCulture), aborted);
    }

    /// <summary>The client's side: sends while <paramref name="isOn"/> says so, and ends it. Returns how many went and came.</summary>
    public async Task<(int Sent, int Received)> RunAsync(Func<int, bool> isOn, CancellationToken cancellation)
    {
        Task<int> receiving = ReceiveAllAsync(cancellation);
        int sent = 0;
        for (; isOn(sent); sent++)
        {
            await socket.SendAsync(NumberedMessage.Create(sent), WebSocketMessageType.Binary, endOfMessage: true, cancellation);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", cancellation);
        return (sent, await receiving);
    }

    private async Task<int> ReceiveAllAsync(CancellationToken cancellation)
    {
        byte[] buffer = new byte[100_000];
        for (int count = 0; ; count++)
        {
            int length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
                length += part.Count;
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return count;
                }
            }
            while (!part.EndOfMessage);
            NumberedMessage.Check(count, buffer.AsSpan(0, length));
        }
    }
}
