using System.Security.Cryptography;

namespace WarpDrive.Engines;

/// <summary>Which computation an operation asks for.</summary>
public enum RsaAlgorithm
{
    /// <summary>input^exponent mod modulus; key: exponent[k] modulus[k].</summary>
    Plain,

    /// <summary>Private-key operation by the Chinese remainder theorem; key: dq[k/2] dp[k/2] q[k/2] p[k/2] qinv[k/2].</summary>
    Crt,

    /// <summary>Makes a private key of two primes; key: e[k] p[k/2] q[k/2], no input; output: d[k] n[k].</summary>
    KeyGeneration,

    /// <summary>The same with the numbers of CRT; output: d[k] n[k] qinv[k/2] dq[k/2] dp[k/2].</summary>
    KeyGenerationCrt,
}

/// <summary>How an operation ended.</summary>
public enum RsaStatus
{
    /// <summary>Not computed yet.</summary>
    None,

    /// <summary>The output holds the result.</summary>
    Done,

    /// <summary>The engine does not compute this size.</summary>
    Unsupported,

    /// <summary>A modulus or prime is even (or zero), the modulus has fewer bytes than the operation says, or no key can be made of the numbers.</summary>
    BadKey,

    /// <summary>The input is not less than the modulus.</summary>
    BadInput,

    /// <summary>The computation itself failed.</summary>
    Failed,
}

/// <summary>What one operation of a batch asks for and how it ended.</summary>
public struct RsaOperation
{
    /// <summary>The computation.</summary>
    public RsaAlgorithm Algorithm;

    /// <summary>k, the bytes of the modulus: 128, 256, 384 or 512.</summary>
    public int ModulusBytes;

    /// <summary>Set by the engine.</summary>
    public RsaStatus Status;
}

/// <summary>
/// Operations that an engine computes together, with their keys, inputs and outputs in memory that the caller provides
/// (locked and undumpable, since it holds keys). Numbers are big-endian, modulus-sized (primes and CRT parts: half), left-padded with zeros.
/// </summary>
public sealed class OperationBatch
{
    private const int MaxKeyBytes = 1280;
    private const int MaxModulusBytes = 512;
    private const int MaxOutputBytes = 7 * MaxModulusBytes / 2;
    private const int StrideBytes = MaxKeyBytes + MaxModulusBytes + MaxOutputBytes;

    private readonly RsaOperation[] _operations;
    private readonly Memory<byte> _storage;

    /// <summary>Lays a batch of <paramref name="capacity"/> operations over <paramref name="storage"/>.</summary>
    /// <param name="capacity">At least 1.</param>
    /// <param name="storage">At least <see cref="StorageBytes"/> bytes.</param>
    public OperationBatch(int capacity, Memory<byte> storage)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(storage.Length, StorageBytes(capacity));
        _operations = new RsaOperation[capacity];
        _storage = storage;
    }

    /// <summary>The most operations it holds.</summary>
    public int Capacity => _operations.Length;

    /// <summary>Operations in use: 0 to <see cref="Count"/> - 1.</summary>
    public int Count { get; private set; }

    /// <summary>Operation <paramref name="index"/>, in place. Its algorithm and size stay as added; the engine sets the status.</summary>
    public ref RsaOperation this[int index] => ref _operations[index];

    /// <summary>Whether operations have this size: 1024, 2048, 3072 and 4096 bits.</summary>
    public static bool IsSupportedModulus(int modulusBytes) => modulusBytes is 128 or 256 or 384 or 512;

    /// <summary>Bytes of memory that a batch of <paramref name="capacity"/> operations needs.</summary>
    public static int StorageBytes(int capacity) => checked(capacity * StrideBytes);

    /// <summary>Bytes of the key of an operation: 5k/2 for CRT, 2k for others.</summary>
    public static int KeyBytes(RsaAlgorithm algorithm, int modulusBytes) =>
        algorithm == RsaAlgorithm.Crt ? 5 * modulusBytes / 2 : 2 * modulusBytes;

    /// <summary>Bytes of the output of an operation: k, or what a made key has.</summary>
    public static int OutputBytes(RsaAlgorithm algorithm, int modulusBytes) => algorithm switch
    {
        RsaAlgorithm.KeyGeneration => 2 * modulusBytes,
        RsaAlgorithm.KeyGenerationCrt => 7 * modulusBytes / 2,
        _ => modulusBytes,
    };

    /// <summary>Bytes of the input of an operation: k, or none to make a key.</summary>
    public static int InputBytes(RsaAlgorithm algorithm, int modulusBytes) =>
        algorithm is RsaAlgorithm.KeyGeneration or RsaAlgorithm.KeyGenerationCrt ? 0 : modulusBytes;

    /// <summary>Adds an operation and returns its index; the caller then fills <see cref="Key"/> and <see cref="Input"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The modulus is none of the four sizes.</exception>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public int Add(RsaAlgorithm algorithm, int modulusBytes)
    {
        if (!IsSupportedModulus(modulusBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(modulusBytes), modulusBytes, "Allowed are 128, 256, 384 and 512.");
        }

        if (Count == Capacity)
        {
            throw new InvalidOperationException($"The batch holds its {Capacity} operations already.");
        }

        _operations[Count] = new RsaOperation { Algorithm = algorithm, ModulusBytes = modulusBytes };
        return Count++;
    }

    /// <summary>The key block of an operation.</summary>
    public Span<byte> Key(int index) =>
        _storage.Span.Slice(index * StrideBytes, KeyBytes(_operations[index].Algorithm, _operations[index].ModulusBytes));

    /// <summary>The input of an operation, modulus-sized; empty where a key is made.</summary>
    public Span<byte> Input(int index) =>
        _storage.Span.Slice((index * StrideBytes) + MaxKeyBytes, InputBytes(_operations[index].Algorithm, _operations[index].ModulusBytes));

    /// <summary>The output of an operation, modulus-sized, or a made key.</summary>
    public Span<byte> Output(int index) => _storage.Span.Slice(
        (index * StrideBytes) + MaxKeyBytes + MaxModulusBytes, OutputBytes(_operations[index].Algorithm, _operations[index].ModulusBytes));

    /// <summary>Empties the batch and zeroes what it held.</summary>
    public void Clear()
    {
        CryptographicOperations.ZeroMemory(_storage.Span[..(Count * StrideBytes)]);
        Count = 0;
    }
}
