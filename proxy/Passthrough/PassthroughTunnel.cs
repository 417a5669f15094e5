using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using WarpProxy.ProxyProtocol;

namespace WarpProxy.Passthrough;

/// <summary>
/// A client's connection and one to an upstream, with the bytes of each going to the other as they come:
/// <code>
/// client socket -> Kestrel's pipe -> upstream socket      until the client ends its direction
/// client socket &lt;- buffer of the pool &lt;- upstream socket   until the upstream ends its own
/// </code>
/// Nothing is read before what was read is sent, so that each side is as slow as the other wants it. The way back does not go through Kestrel,
/// whose pipe cannot end one direction alone.
/// </summary>
internal sealed class PassthroughTunnel : IDisposable
{
    private const int MinBufferBytes = 4 * 1024;
    private const int MaxBufferBytes = 64 * 1024;

    // Of what Kestrel has read, sent with one call: blocks of 4 KiB.
    private const int MaxBlocks = 16;

    private readonly ConnectionContext _connection;
    private readonly Socket _client;
    private readonly Socket _upstream;
    private readonly PassthroughRoute _route;
    private readonly TimeProvider _time;
    private readonly ITimer _idle;
    private readonly List<ArraySegment<byte>> _blocks = [];
    private string? _failure;       // why it was cut off: the first reason
    private long _lastActivity;     // a timestamp; written by both directions, and any of their values is right

    /// <summary>Takes ownership of the upstream's socket.</summary>
    public PassthroughTunnel(ConnectionContext connection, Socket upstream, PassthroughRoute route, TimeProvider time)
    {
        _connection = connection;
        _client = connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;
        _upstream = upstream;
        _route = route;
        _time = time;
        _lastActivity = time.GetTimestamp();
        _idle = time.CreateTimer(static tunnel => ((PassthroughTunnel)tunnel!).CheckIdle(), this, route.Options.IdleTimeout, Timeout.InfiniteTimeSpan);
        route.Counters.Opened();
    }

    /// <summary>Why it was cut off; null when both sides have ended it.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Carries bytes until both sides have ended, or one has failed.</summary>
    public async Task RunAsync(ReadResult hello)
    {
        Task upload = GuardAsync(UploadAsync(hello));
        Task download = GuardAsync(DownloadAsync());
        await upload;
        await download;
    }

    /// <summary>Cuts both connections off. Any thread, any number of times.</summary>
    public void Abort(string reason)
    {
        if (TryAbort(reason))
        {
            _route.Counters.Failed();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _idle.Dispose();
        _upstream.Dispose();
        _route.Counters.Closed();
    }

    /// <summary>One direction that fails takes the other along.</summary>
    private async Task GuardAsync(Task direction)
    {
        try
        {
            await direction;
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            Abort(exception.Message);
        }
    }

    private async Task UploadAsync(ReadResult read)
    {
        PipeReader input = _connection.Transport.Input;
        if (_route.Options.SendProxyProtocol)
        {
            await SendAddressesAsync();
        }

        while (true)
        {
            ReadOnlySequence<byte> bytes = read.Buffer;
            while (!bytes.IsEmpty)
            {
                int sent = await SendAsync(bytes);
                bytes = bytes.Slice(sent);
                Touch();        // before it is counted: whoever sees it counted may count on it
                _route.Counters.SentToUpstream(sent);
            }

            input.AdvanceTo(bytes.End);
            if (read.IsCompleted)
            {
                _upstream.Shutdown(SocketShutdown.Send);
                return;
            }

            read = await input.ReadAsync();
        }
    }

    private async Task SendAddressesAsync()
    {
        var header = new ArrayBufferWriter<byte>();
        ProxyHeaderBinary.Write(header, (IPEndPoint)_connection.RemoteEndPoint!, (IPEndPoint)_connection.LocalEndPoint!);
        await _upstream.SendAsync(header.WrittenMemory);
    }

    /// <summary>Sends some of the bytes; of one block all of it. Returns how many.</summary>
    private async ValueTask<int> SendAsync(ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
        {
            return await _upstream.SendAsync(bytes.First);
        }

        _blocks.Clear();
        foreach (ReadOnlyMemory<byte> block in bytes)
        {
            // Kestrel's memory is of arrays.
            if (_blocks.Count == MaxBlocks || !MemoryMarshal.TryGetArray(block, out ArraySegment<byte> segment))
            {
                break;
            }

            _blocks.Add(segment);
        }

        return await _upstream.SendAsync(_blocks, SocketFlags.None);
    }

    private async Task DownloadAsync()
    {
        int size = MinBufferBytes;
        while (true)
        {
            // Of nothing first: a connection that waits holds no buffer.
            await _upstream.ReceiveAsync(Memory<byte>.Empty);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(size);
            int count;
            try
            {
                do
                {
                    count = await _upstream.ReceiveAsync(buffer);
                    if (count == 0)
                    {
                        _client.Shutdown(SocketShutdown.Send);
                        return;
                    }

                    await _client.SendAsync(buffer.AsMemory(0, count));
                    Touch();
                    _route.Counters.SentToClient(count);
                }
                while (count == buffer.Length && count == MaxBufferBytes);
                size = count == buffer.Length ? Math.Min(2 * buffer.Length, MaxBufferBytes) : MinBufferBytes;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private bool TryAbort(string reason)
    {
        bool isFirst = Interlocked.CompareExchange(ref _failure, reason, null) is null;
        if (isFirst)
        {
            // With a reset each: what was cut off must not look as if it had ended.
            _upstream.Close(0);
            _connection.Abort(new ConnectionAbortedException(reason));
        }

        return isFirst;
    }

    private void Touch() => Volatile.Write(ref _lastActivity, _time.GetTimestamp());

    private void CheckIdle()
    {
        TimeSpan left = _route.Options.IdleTimeout - _time.GetElapsedTime(Volatile.Read(ref _lastActivity));
        if (left > TimeSpan.Zero)
        {
            _idle.Change(left, Timeout.InfiniteTimeSpan);
        }
        else if (TryAbort($"No byte went either way for {_route.Options.IdleTimeout:c}."))
        {
            _route.Counters.IdleTimeout();
        }
    }
}
