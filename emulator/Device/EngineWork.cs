using WarpDrive.Engines;

namespace WarpDrive.Emulator;

/// <summary>Processor time that one engine has used for private-key operations, by the size of their keys; written by one engine, read by any thread.</summary>
internal sealed class EngineWork
{
    // 1024, 2048, 3072 and 4096 bits.
    private const int Sizes = 4;
    private const int SizeStepBytes = 128;

    private readonly long[] _operations = new long[Sizes];
    private readonly long[] _nanoseconds = new long[Sizes];

    /// <summary>The sum over engines.</summary>
    /// <param name="engines">All of a device.</param>
    /// <param name="modulusBytes">Of the keys.</param>
    public static (long Operations, long Nanoseconds) Sum(IReadOnlyList<DeviceEngine> engines, int modulusBytes)
    {
        int size = (modulusBytes / SizeStepBytes) - 1;
        (long operations, long nanoseconds) = (0, 0);
        for (int i = 0; i < engines.Count; i++)
        {
            operations += Volatile.Read(ref engines[i].Work._operations[size]);
            nanoseconds += Volatile.Read(ref engines[i].Work._nanoseconds[size]);
        }

        return (operations, nanoseconds);
    }

    /// <summary>Counts a batch, before its operations are completed; they are of one kind. To make keys is no private-key operation.</summary>
    public void Count(OperationBatch batch, long nanoseconds)
    {
        if (batch[0].Algorithm is not (RsaAlgorithm.Crt or RsaAlgorithm.Plain))
        {
            return;
        }

        int size = (batch[0].ModulusBytes / SizeStepBytes) - 1;
        Volatile.Write(ref _nanoseconds[size], _nanoseconds[size] + nanoseconds);
        Volatile.Write(ref _operations[size], _operations[size] + batch.Count);
    }
}
