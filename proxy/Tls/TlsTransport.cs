using System.Buffers;
using System.IO.Pipelines;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tls;

/// <summary>
/// A TLS connection after its handshake, as Kestrel reads and writes it:
/// <code>
/// socket -> transport.Input  -> TlsPipeReader -> HTTP
/// socket &lt;- transport.Output &lt;- TlsPipeWriter &lt;- HTTP
/// </code>
/// Both directions work on the thread that asks; there is no loop between. Reader and writer may run at the same time: the gate keeps them
/// from being inside libssl, or at the transport's writer, together.
/// </summary>
internal sealed class TlsTransport : IDuplexPipe, IDisposable
{
    private static readonly TimeSpan CloseNotifyTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly TlsServerConnection _tls;
    private readonly PipeWriter _output;
    private readonly TlsPipeReader _reader;
    private readonly TlsPipeWriter _writer;
    private readonly TimeProvider _time;

    // Guarded by the gate.
    private long _flushedBytes;             // of what the connection wrote, how much a flush covers
    private bool _isFlushing;               // a pipe has one flush at a time
    private TaskCompletionSource? _flushed; // completed when that flush ends; made by who waits for it
    private bool _isWriterWaiting;          // for that flush, which is the reader's
    private bool _isWriterCanceled;
    private bool _isFailed;
    private bool _isDisposed;

    /// <summary>Takes ownership of a connection whose handshake is done.</summary>
    public TlsTransport(TlsServerConnection tls, IDuplexPipe transport, MemoryPool<byte> pool, TimeProvider time)
    {
        _tls = tls;
        _time = time;
        _output = transport.Output;
        _reader = new TlsPipeReader(this, transport.Input, pool);
        _writer = new TlsPipeWriter(this, pool);
    }

    /// <inheritdoc/>
    public PipeReader Input => _reader;

    /// <inheritdoc/>
    public PipeWriter Output => _writer;

    /// <summary>How the client's stream ended, as far as it was read.</summary>
    public TlsStreamEnd End => _reader.End;

    /// <summary>Why it failed, if it did.</summary>
    public TlsFailure Failure => _reader.Failure;

    /// <summary>Bytes for the client that no flush covers yet: answers to post-handshake messages, session tickets.</summary>
    public long UnflushedBytes
    {
        get
        {
            lock (_gate)
            {
                return _tls.SentBytes - _flushedBytes;
            }
        }
    }

    /// <summary>Decrypts. The step cuts off from <paramref name="received"/> what it took.</summary>
    public TlsStatus Decrypt(ref ReadOnlySequence<byte> received, Span<byte> buffer, out int count, out TlsFailure failure)
    {
        lock (_gate)
        {
            count = 0;
            failure = default;
            if (_isDisposed || _isFailed)
            {
                return TlsStatus.Failed;
            }

            TlsStatus status = _tls.Read(ref received, _output, buffer, out count);
            if (status == TlsStatus.Failed)
            {
                failure = _tls.Failure;
                _isFailed = true;
            }

            return status;
        }
    }

    /// <summary>Encrypts into the transport's writer, without a flush. False when the connection has failed or is closed.</summary>
    public bool TryEncrypt(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_isDisposed || _isFailed)
            {
                return false;
            }

            _isFailed = _tls.Write(data, _output) != TlsStatus.Done;
            return !_isFailed;
        }
    }

    /// <summary>Sends what was encrypted; waits while the client takes nothing. The reader and the writer may both ask at the same time.</summary>
    /// <param name="isWriter">Whether it is the writer who asks, so that <see cref="CancelPendingFlush"/> is for it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<FlushResult> FlushAsync(bool isWriter, CancellationToken cancellationToken)
    {
        ValueTask<FlushResult> flush;
        lock (_gate)
        {
            if (_isFlushing)
            {
                return FlushNextAsync(isWriter, cancellationToken);
            }

            flush = BeginFlush(cancellationToken);
            if (!_isFlushing)
            {
                return flush;
            }
        }

        return EndFlushAsync(flush);
    }

    /// <summary>Lets a flush of the writer that waits return, or else the next one.</summary>
    public void CancelPendingFlush()
    {
        TaskCompletionSource? waiting = null;
        lock (_gate)
        {
            if (_isWriterWaiting)
            {
                _isWriterCanceled = true;
                waiting = _flushed;
                _flushed = null;
            }
        }

        waiting?.TrySetResult();
        if (waiting is null)
        {
            _output.CancelPendingFlush();
        }
    }

    /// <summary>
    /// Tells the client that nothing was cut off (RFC 8446 6.1, RFC 5246 7.2.1), and sends what is left, alerts included. Nobody waits for it
    /// longer than a few seconds, or than for the end of the connection: a client that reads no more is not told.
    /// </summary>
    /// <returns>False: the client takes nothing, so that the connection has to be cut off.</returns>
    public async Task<bool> CloseAsync(CancellationToken connectionClosed)
    {
        if (connectionClosed.IsCancellationRequested)
        {
            return true;
        }

        lock (_gate)
        {
            if (_isDisposed)
            {
                return true;
            }

            if (!_isFailed)
            {
                _isFailed = _tls.Shutdown(_output) == TlsStatus.Failed;
            }
        }

        try
        {
            ValueTask<FlushResult> flush = FlushAsync(isWriter: false, default);
            if (!flush.IsCompletedSuccessfully)
            {
                await flush.AsTask().WaitAsync(CloseNotifyTimeout, _time, connectionClosed);
            }
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The client has closed or reset the connection.
        }

        return true;
    }

    /// <summary>Frees the connection; reader and writer find it closed from then on.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                _tls.Dispose();
            }
        }

        _writer.Complete();
        _reader.Complete();
    }

    /// <summary>Under the gate.</summary>
    private ValueTask<FlushResult> BeginFlush(CancellationToken cancellationToken)
    {
        _flushedBytes = _tls.SentBytes;
        ValueTask<FlushResult> flush = _output.FlushAsync(cancellationToken);
        _isFlushing = !flush.IsCompleted;
        return flush;
    }

    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> EndFlushAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            return await flush;
        }
        finally
        {
            TaskCompletionSource? waiting;
            lock (_gate)
            {
                _isFlushing = false;
                waiting = _flushed;
                _flushed = null;
            }

            waiting?.TrySetResult();
        }
    }

    /// <summary>Waits for the flush under way, which the other direction has begun, and then flushes what it did not cover.</summary>
    private async ValueTask<FlushResult> FlushNextAsync(bool isWriter, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task before;
            lock (_gate)
            {
                if (isWriter && _isWriterCanceled)
                {
                    _isWriterCanceled = false;
                    _isWriterWaiting = false;
                    return new FlushResult(isCanceled: true, isCompleted: false);
                }

                if (!_isFlushing)
                {
                    _isWriterWaiting &= !isWriter;
                    break;
                }

                _isWriterWaiting |= isWriter;
                _flushed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                before = _flushed.Task;
            }

            try
            {
                await before.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (isWriter)
            {
                // It waits no more: a cancellation that comes now is for its next flush.
                lock (_gate)
                {
                    _isWriterWaiting = false;
                    _isWriterCanceled = false;
                }

                throw;
            }
        }

        return await FlushAsync(isWriter, cancellationToken);
    }
}
