using System.Runtime.Intrinsics.X86;
using WarpDrive.Engines.Simd;
using WarpDrive.Linux;

namespace WarpDrive.Engines;

/// <summary>
/// Computes up to eight CRT operations at once, each with its own key, in the lanes of 512-bit registers: moduli of 2048, 3072 and 4096
/// bits. Up to four operations of one size take half the time of five to eight. What it computes with is locked memory that is not
/// dumped, and is zero again when <see cref="Execute(OperationBatch)"/> returns.
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
    private readonly CrtLanes[] _sizes;

    /// <summary>Takes the memory that an engine needs.</summary>
    /// <exception cref="PlatformNotSupportedException"><see cref="IsSupported"/> is false.</exception>
    /// <exception cref="LinuxException">No memory.</exception>
    public SimdEngine()
    {
        if (!IsSupported)
        {
            throw new PlatformNotSupportedException("The SIMD engine needs AVX-512F and AVX-512DQ.");
        }

        // All sizes use the same memory, one after the other.
        _workspace = MappedMemory.AllocateSecret(WorkspaceBytes);
        byte* start = (byte*)_workspace.Address;
        _sizes =
        [
            new CrtLanes(256, new DigitMemory(start, WorkspaceBytes)),
            new CrtLanes(384, new DigitMemory(start, WorkspaceBytes)),
            new CrtLanes(512, new DigitMemory(start, WorkspaceBytes)),
        ];
    }

    /// <summary>Whether this processor and runtime have the instructions: AVX-512F and AVX-512DQ.</summary>
    public static bool IsSupported => Avx512F.IsSupported && Avx512DQ.IsSupported;

    /// <summary>The most operations of one size that take half the time of a full batch.</summary>
    public static int HalfLanes => CrtLanes.HalfLanes;

    /// <inheritdoc/>
    public string Name => "simd (AVX-512F, 8 lanes)";

    /// <inheritdoc/>
    public int Lanes => Digits.Lanes;

    /// <inheritdoc/>
    public void Execute(OperationBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Span<int> operations = stackalloc int[Digits.Lanes];
        for (int first = 0; first < batch.Count; first += Digits.Lanes)
        {
            int count = Math.Min(batch.Count - first, Digits.Lanes);
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

        Span<int> group = stackalloc int[Digits.Lanes];
        foreach (CrtLanes size in _sizes)
        {
            int count = 0;
            foreach (int operation in operations)
            {
                if (SizeOf(batch[operation]) != size)
                {
                    continue;
                }

                group[count++] = operation;
                if (count == Digits.Lanes)
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

    private CrtLanes? SizeOf(in RsaOperation operation) => operation.Algorithm != RsaAlgorithm.Crt ? null : operation.ModulusBytes switch
    {
        256 => _sizes[0],
        384 => _sizes[1],
        512 => _sizes[2],
        _ => null,
    };

    private void Compute(CrtLanes size, OperationBatch batch, ReadOnlySpan<int> operations)
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
