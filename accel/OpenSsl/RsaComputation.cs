using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpDrive.OpenSsl;

/// <summary>
/// Computes private-key operations with the scalar engine of the emulated device: the key is brought for each of them and is gone afterwards, so one object
/// serves any key. One thread at a time.
/// </summary>
internal sealed class RsaComputation : IDisposable
{
    private const int MaxIdle = 256;   // the most lanes there may be

    private static readonly IdlePool<RsaComputation> Idle = new(MaxIdle);

    private readonly ScalarEngine _engine = new();
    private readonly MappedMemory _memory = MappedMemory.AllocateSecret(OperationBatch.StorageBytes(1));
    private readonly OperationBatch _batch;

    private RsaComputation()
    {
        _batch = new OperationBatch(1, _memory.Memory);
    }

    /// <summary>Computes input^d mod n.</summary>
    /// <param name="crtBlock">dq, dp, q, p, qinv.</param>
    /// <param name="input">Modulus-sized.</param>
    /// <param name="output">Modulus-sized; zeros when it failed.</param>
    /// <returns>False when the numbers are no key, the input is not less than the modulus, or OpenSSL had no memory. The result is not checked.</returns>
    public static bool TryRun(ReadOnlySpan<byte> crtBlock, ReadOnlySpan<byte> input, Span<byte> output)
    {
        RsaComputation computation = Idle.Take() ?? new RsaComputation();
        try
        {
            return computation.TryCompute(crtBlock, input, output);
        }
        finally
        {
            Idle.Give(computation);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_memory.GetSpan());
        _memory.Dispose();
        _engine.Dispose();
    }

    [SkipLocalsInit]
    private bool TryCompute(ReadOnlySpan<byte> crtBlock, ReadOnlySpan<byte> input, Span<byte> output)
    {
        try
        {
            int index = _batch.Add(RsaAlgorithm.Crt, input.Length);
            crtBlock.CopyTo(_batch.Key(index));
            input.CopyTo(_batch.Input(index));
            _engine.Execute(_batch);
            _batch.Output(index).CopyTo(output);
            return _batch[index].Status == RsaStatus.Done;
        }
        finally
        {
            _batch.Clear();
            VectorRegisters.Clear();
        }
    }
}
