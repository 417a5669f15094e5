using WarpDrive.Engines.Simd;
using WarpDrive.Linux;

namespace WarpDrive.Engines;

/// <summary>
/// Computes up to eight CRT operations at once in the lanes of 512-bit registers (AVX-512), or up to four in 256-bit ones (AVX2), each
/// with its own key: moduli of 2048, 3072 and 4096 bits. Half as many operations of one size take half the time. What it computes
/// with is locked memory that is not dumped, and is zero again when <see cref="Execute(OperationBatch)"/> returns.
/// </summary>
/// <remarks>
/// Constant time: no branch and no address depends on a key, an input's residues or a result, table look-ups read the whole table, and no
/// instruction is used whose time depends on its operands. The modulus, its comparison with the input and whether a key is
/// well formed are public. Numbers are not blinded; registers and the stack are not cleared. See emulator/Engines/README.md.
/// </remarks>
public sealed unsafe class SimdEngine : ISelectiveEngine
{
    private const int WorkspaceBytes = 128 * 1024;

    private readonly MappedMemory _workspace;
    private readonly ICrtLanes[] _sizes;

    /// <summary>Bytes that an engine locks.</summary>
    public static int LockedBytes => WorkspaceBytes;

    /// <summary>Takes the memory that an engine of the best width needs.</summary>
    /// <exception cref="PlatformNotSupportedException"><see cref="IsSupported"/> is false.</exception>
    /// <exception cref="LinuxException">No memory.</exception>
    public SimdEngine()
        : this(SimdWidth.Best ?? SimdWidth.Avx2)
    {
    }

    /// <summary>Takes the memory that an engine needs.</summary>
    /// <exception cref="PlatformNotSupportedException">The width is not supported.</exception>
    /// <exception cref="LinuxException">No memory.</exception>
    public SimdEngine(SimdWidth width)
    {
        ArgumentNullException.ThrowIfNull(width);
        if (!width.IsSupported)
        {
            throw new PlatformNotSupportedException($"The SIMD engine needs {width.Instructions}.");
        }

        Lanes = width.Lanes;
        Name = $"simd ({width.Name}, {width.Lanes} lanes)";

        // All sizes use the same memory, one after the other.
        _workspace = MappedMemory.AllocateSecret(WorkspaceBytes);
        byte* start = (byte*)_workspace.Address;
        _sizes =
        [
            width.CreateSize(256, new DigitMemory(start, WorkspaceBytes, Lanes)),
            width.CreateSize(384, new DigitMemory(start, WorkspaceBytes, Lanes)),
            width.CreateSize(512, new DigitMemory(start, WorkspaceBytes, Lanes)),
        ];
    }

    /// <summary>Whether this processor and runtime have the instructions of any width.</summary>
    public static bool IsSupported => SimdWidth.Best is not null;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Lanes { get; }

    /// <summary>The most operations of one size that take half the time of a full batch.</summary>
    public int HalfLanes => Lanes / 2;

    /// <inheritdoc/>
    public void Execute(OperationBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Span<int> operations = stackalloc int[Lanes];
        for (int first = 0; first < batch.Count; first += Lanes)
        {
            int count = Math.Min(batch.Count - first, Lanes);
            for (int i = 0; i < count; i++)
            {
                operations[i] = first + i;
            }

            Execute(batch, operations[..count]);
        }
    }

    /// <summary>Computes the operations with these indices, those of one size together, and leaves the others alone.</summary>
    public void Execute(OperationBatch batch, ReadOnlySpan<int> operations)
    {
        foreach (int operation in operations)
        {
            if (SizeOf(batch[operation]) is null)
            {
                batch[operation].Status = RsaStatus.Unsupported;
                batch.Output(operation).Clear();
            }
        }

        Span<int> group = stackalloc int[Lanes];
        foreach (ICrtLanes size in _sizes)
        {
            int count = 0;
            foreach (int operation in operations)
            {
                if (SizeOf(batch[operation]) != size)
                {
                    continue;
                }

                group[count++] = operation;
                if (count == Lanes)
                {
                    Compute(size, batch, group);
                    count = 0;
                }
            }

            if (count > 0)
            {
                Compute(size, batch, group[..count]);
            }
        }
    }

    /// <summary>Gives the memory back. Not to be called while <see cref="Execute(OperationBatch)"/> runs.</summary>
    public void Dispose() => _workspace.Dispose();

    private ICrtLanes? SizeOf(in RsaOperation operation) => operation.Algorithm != RsaAlgorithm.Crt ? null : operation.ModulusBytes switch
    {
        256 => _sizes[0],
        384 => _sizes[1],
        512 => _sizes[2],
        _ => null,
    };

    private void Compute(ICrtLanes size, OperationBatch batch, ReadOnlySpan<int> operations)
    {
        try
        {
            size.Compute(batch, operations);
        }
        finally
        {
            _workspace.GetSpan().Clear();
        }
    }
}
