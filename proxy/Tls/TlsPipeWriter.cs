using System.Buffers;
using System.IO.Pipelines;

namespace WarpProxy.Tls;

/// <summary>
/// What goes to a client, encrypted on the thread that writes. Bytes gather in one block, which becomes a record when it is full or flushed;
/// the first block after a flush is small, the following hold a whole record. Between flushes it holds no memory. One writer;
/// <see cref="CancelPendingFlush"/> may come from any thread.
/// </summary>
internal sealed class TlsPipeWriter(TlsTransport tls, MemoryPool<byte> pool) : PipeWriter
{
    private const int RecordBytes = 16 * 1024;      // RFC 8446 5.1

    private IMemoryOwner<byte>? _owner;     // of the pool, or
    private byte[]? _rented;                // of the array pool, when more is asked for or written than a block of the pool holds
    private Memory<byte> _block;
    private int _count;
    private bool _isBroken;                 // the connection takes no more
    private bool _isCompleted;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _count + tls.UnflushedBytes;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        if (_isCompleted)
        {
            throw new InvalidOperationException("Writing is over: the writer was completed.");
        }

        int needed = Math.Max(sizeHint, 1);
        if (_block.Length - _count < needed)
        {
            bool isFollowing = _count > 0;
            Encrypt();
            if (_block.Length < needed || (isFollowing && _block.Length < RecordBytes))
            {
                Return();
                Rent(isFollowing ? Math.Max(sizeHint, RecordBytes) : sizeHint);
            }
        }

        return _block[_count..];
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        if ((uint)bytes > (uint)(_block.Length - _count))
        {
            throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"Of the memory given, {_block.Length - _count} bytes are left.");
        }

        _count += bytes;
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        Encrypt();
        Return();

        // Completed is what a pipe says when its reader has gone.
        return _isBroken ? ValueTask.FromResult(new FlushResult(isCanceled: false, isCompleted: true)) : tls.FlushAsync(isWriter: true, cancellationToken);
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush() => tls.CancelPendingFlush();

    /// <inheritdoc/>
    /// <remarks>What was written is encrypted, and sent when the connection is closed.</remarks>
    public override void Complete(Exception? exception = null)
    {
        if (!_isCompleted)
        {
            _isCompleted = true;
            Encrypt();
            Return();
        }
    }

    private void Rent(int length)
    {
        if (length <= pool.MaxBufferSize && length < RecordBytes)
        {
            _owner = length == 0 ? pool.Rent() : pool.Rent(length);
            _block = _owner.Memory;
        }
        else
        {
            _rented = ArrayPool<byte>.Shared.Rent(length);
            _block = _rented;
        }
    }

    private void Encrypt()
    {
        for (ReadOnlySpan<byte> rest = _block.Span[.._count]; !rest.IsEmpty && !_isBroken; rest = rest[Math.Min(rest.Length, RecordBytes)..])
        {
            _isBroken = !tls.TryEncrypt(rest[..Math.Min(rest.Length, RecordBytes)]);
        }

        _count = 0;
    }

    private void Return()
    {
        _owner?.Dispose();
        _owner = null;
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }

        _block = default;
    }
}
