using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tls;

/// <summary>
/// What a client sent, decrypted on the thread that reads. While it waits for the client it holds no memory: blocks are taken when bytes
/// have come. One reader; <see cref="CancelPendingRead"/> may come from any thread.
/// </summary>
internal sealed class TlsPipeReader(TlsTransport tls, PipeReader input, MemoryPool<byte> pool) : PipeReader
{
    // One read hands over about four records at most, so that a fast client does not pile up what the upstream has not taken.
    private const int MaxReadBytes = 64 * 1024;

    // Answers to what the client sends, as when it asks for a KeyUpdate again and again, are sent before more of it is read.
    private const int MaxUnflushedBytes = 16 * 1024;

    private readonly DecryptedBytes _bytes = new(pool);
    private bool _isDrained;        // libssl holds no byte that it could give without more of the client
    private bool _isCompleted;

    // Set by any thread, taken by the reader: Interlocked, so that a cancellation is seen once.
    private int _isCanceled;

    /// <summary>How the stream ended, as far as it was read.</summary>
    public TlsStreamEnd End { get; private set; }

    /// <summary>Why it failed, when the end says so.</summary>
    public TlsFailure Failure { get; private set; }

    /// <inheritdoc/>
    /// <exception cref="ConnectionResetException">The stream ended without close_notify, or with an alert, and all that came before was examined.</exception>
    public override bool TryRead(out ReadResult result)
    {
        ThrowIfCompleted();
        while (true)
        {
            if (TryResult(out result))
            {
                return true;
            }

            if (!_isDrained)
            {
                Decrypt(default, isLast: false);
                continue;
            }

            if (!input.TryRead(out ReadResult received))
            {
                return false;
            }

            Take(received);
            if (received.IsCanceled && !HasNews)
            {
                return false;
            }
        }
    }

    /// <inheritdoc/>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        return TryResult(out ReadResult result) ? ValueTask.FromResult(result) : WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        ThrowIfCompleted();
        _bytes.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        Interlocked.Exchange(ref _isCanceled, 1);

        // Wakes a read that waits. When none does, the next one finds the mark, and the transport's cancellation later means nothing.
        input.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (!_isCompleted)
        {
            _isCompleted = true;
            _bytes.Clear();
        }
    }

    private bool HasNews => _bytes.HasUnexamined || End != TlsStreamEnd.None || Volatile.Read(ref _isCanceled) != 0;

    /// <summary>What can be answered without decrypting anything.</summary>
    private bool TryResult(out ReadResult result)
    {
        ThrowIfCompleted();
        bool isCanceled = Interlocked.Exchange(ref _isCanceled, 0) != 0;
        if (!isCanceled && !_bytes.HasUnexamined && End is TlsStreamEnd.Truncated or TlsStreamEnd.Failed)
        {
            throw new ConnectionResetException(
                End == TlsStreamEnd.Truncated ? "The client closed the connection without close_notify." : $"The TLS connection failed: {Failure}.");
        }

        bool isEnd = End == TlsStreamEnd.CloseNotify;
        bool isThere = isCanceled || isEnd || _bytes.HasUnexamined;
        result = isThere ? new ReadResult(_bytes.Sequence, isCanceled, isEnd) : default;
        return isThere;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_isDrained)
            {
                Decrypt(default, isLast: false);
            }
            else
            {
                long unflushed = tls.UnflushedBytes;
                if (unflushed > MaxUnflushedBytes)
                {
                    await tls.FlushAsync(isWriter: false, cancellationToken);
                }

                if (!input.TryRead(out ReadResult received))
                {
                    if (unflushed is > 0 and <= MaxUnflushedBytes)
                    {
                        await tls.FlushAsync(isWriter: false, cancellationToken);
                    }

                    received = await input.ReadAsync(cancellationToken);
                }

                Take(received);
            }

            if (TryResult(out ReadResult result))
            {
                return result;
            }
        }
    }

    private void Take(in ReadResult received)
    {
        // A cancellation of the transport's read is ours, or an old one; the mark tells.
        if (received.Buffer.IsEmpty && !received.IsCompleted)
        {
            input.AdvanceTo(received.Buffer.Start);
            return;
        }

        SequencePosition taken = Decrypt(received.Buffer, received.IsCompleted);
        input.AdvanceTo(taken);
    }

    /// <summary>Decrypts what there is, up to a bound. Returns where libssl stopped.</summary>
    private SequencePosition Decrypt(ReadOnlySequence<byte> received, bool isLast)
    {
        int total = 0;
        TlsStatus status;
        do
        {
            status = tls.Decrypt(ref received, _bytes.GetRoom(), out int count, out TlsFailure failure);
            Failure = failure;
            _bytes.Advance(count);
            total += count;
        }
        while (status == TlsStatus.Done && total < MaxReadBytes);

        _isDrained = status == TlsStatus.WantRead;
        End = status switch
        {
            TlsStatus.Closed => TlsStreamEnd.CloseNotify,
            TlsStatus.Failed => TlsStreamEnd.Failed,
            TlsStatus.WantRead when isLast => TlsStreamEnd.Truncated,
            _ => TlsStreamEnd.None,
        };
        return received.Start;
    }

    private void ThrowIfCompleted()
    {
        if (_isCompleted)
        {
            throw new InvalidOperationException("Reading is over: the reader was completed.");
        }
    }
}
