using System.Net.Sockets;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>
/// A client's connection that is cut after so many bytes: with a reset, or with an end like a client that has closed. Then every call fails, and
/// the bytes beyond are not sent, or not read.
/// </summary>
internal sealed class CutStream(Socket socket, long mayWrite, long mayRead, bool isReset) : Stream
{
    /// <summary>Bytes sent so far.</summary>
    public long Written { get; private set; }

    /// <summary>Bytes read so far.</summary>
    public long Received { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = (int)Math.Min(buffer.Length, mayWrite - Written);
        for (ReadOnlyMemory<byte> rest = buffer[..count]; !rest.IsEmpty;)
        {
            int sent = await socket.SendAsync(rest, cancellationToken);
            rest = rest[sent..];
            Written += sent;
        }

        if (Written == mayWrite)
        {
            throw Cut();
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Received == mayRead)
        {
            throw Cut();
        }

        int count = await socket.ReceiveAsync(buffer[..(int)Math.Min(buffer.Length, mayRead - Received)], cancellationToken);
        Received += count;
        return count;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private IOException Cut()
    {
        socket.Close(isReset ? 0 : -1);
        return new IOException("The connection was cut, as the test wants it.");
    }
}
