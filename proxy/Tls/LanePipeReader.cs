using System.IO.Pipelines;

namespace WarpProxy.Tls;

/// <summary>
/// The input of a connection during its handshake: what waits for bytes goes on upon a lane, as long as the handshake may
/// still need the private key. So second flights do as well: the ClientHello after a HelloRetryRequest, and the
/// ClientKeyExchange of TLS 1.2 with RSA key exchange. Afterwards it is the inner reader.
/// </summary>
internal sealed class LanePipeReader(PipeReader inner, HandshakeLanes lanes, Handshake handshake) : PipeReader
{
    private readonly LaneRead _laneRead = new(lanes, handshake);

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> read = inner.ReadAsync(cancellationToken);
        if (!handshake.NeedsLane || (read.IsCompleted && HandshakeLane.IsCurrentThread))
        {
            return read;
        }

        return _laneRead.Start(read);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
}
