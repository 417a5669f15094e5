using WarpDrive.Driver.Paths;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// An RSA private key in CRT form that devices compute with: written once into the arena of each queue pair that uses it.
/// Any thread may run operations; the thread waits until its operation is done or its deadline is over.
/// </summary>
public sealed class DeviceKey : IDisposable
{
    private readonly QueuePool _pool;
    private readonly SecretBlock _block;
    private int _holderCount; // those who still have to call ErasedOnDevice
    private bool _isDisposed;

    internal DeviceKey(QueuePool pool, int number, ReadOnlySpan<byte> crtBlock, int modulusBytes, RsaFaultCheck faultCheck)
    {
        _pool = pool;
        Number = number;
        ModulusBytes = modulusBytes;
        FaultCheck = faultCheck;
        _block = pool.Secrets.Take(crtBlock.Length);
        crtBlock.CopyTo(_block.GetSpan());
    }

    /// <summary>Bytes of the modulus.</summary>
    public int ModulusBytes { get; }

    /// <summary>A place in each queue's table of keys; given to another key when every device has erased this one.</summary>
    internal int Number { get; }

    internal RsaFaultCheck FaultCheck { get; }

    /// <summary>Whether the pages are locked in memory.</summary>
    internal bool IsLocked => _block.IsLocked;

    internal ReadOnlySpan<byte> CrtBlock => _block.GetSpan();

    /// <summary>Computes input^d mod n on a device.</summary>
    /// <param name="input">Modulus-sized, big-endian, less than the modulus.</param>
    /// <param name="output">Modulus-sized, big-endian; written only when the result passed the fault check.</param>
    /// <param name="timeline">Where the steps are written; null: nobody asks.</param>
    /// <returns><see cref="AcceleratorError.None"/>, or why the caller has to compute it in software.</returns>
    public AcceleratorError TryPrivate(ReadOnlySpan<byte> input, Span<byte> output, OperationTimeline? timeline = null)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Length, ModulusBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, ModulusBytes);
        return _pool.TryPrivate(this, input, output, timeline);
    }

    /// <summary>As the other, but only where a device is expected to answer before software would be done.</summary>
    /// <param name="operation">The operation; says afterwards where it was sent.</param>
    /// <param name="input">Modulus-sized, big-endian, less than the modulus.</param>
    /// <param name="output">Modulus-sized, big-endian; written only when the result passed the fault check.</param>
    /// <param name="error">Why a device to which it was sent did not compute it.</param>
    /// <returns>Whether a device computed it. If not, the caller computes it in software.</returns>
    public bool TryPrivateByChoice(ref AutoOperation operation, ReadOnlySpan<byte> input, Span<byte> output, out AcceleratorError error)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Length, ModulusBytes);
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, ModulusBytes);
        return _pool.TryPrivateByChoice(this, ref operation, input, output, out error);
    }

    /// <summary>Zeroes the key here at once, and in every arena as soon as its queue is free. No operation may be running.</summary>
    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            _block.Dispose();
            _pool.Retire(this);
        }
    }

    /// <summary>Before the devices are asked to erase it.</summary>
    /// <param name="holderCount">How often <see cref="ErasedOnDevice"/> will be called.</param>
    internal void BeginErase(int holderCount) => _holderCount = holderCount;

    /// <summary>Called once for each device that could have had it, and once more. The last call frees the number.</summary>
    internal void ErasedOnDevice()
    {
        if (Interlocked.Decrement(ref _holderCount) == 0)
        {
            _pool.FreeKeyNumber(Number);
        }
    }
}
