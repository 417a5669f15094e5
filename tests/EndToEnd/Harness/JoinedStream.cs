namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>
/// A connection whose second write goes together with the third, or when it is told so: of a client's TLS handshake (1.3), the flight that ends it, so that
/// the server never has a connection that waits for its first request.
/// </summary>
internal sealed class JoinedStream(Stream inner) : Stream
{
    private ReadOnlyMemory<byte> _kept;
    private int _writes;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Sends what is kept.</summary>
    public async Task ReleaseAsync()
    {
        await inner.WriteAsync(_kept);
        _kept = default;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (++_writes == 2)
        {
            _kept = buffer.ToArray();
            return;
        }

        await inner.WriteAsync((byte[])[.. _kept.Span, .. buffer.Span], cancellationToken);
        _kept = default;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
