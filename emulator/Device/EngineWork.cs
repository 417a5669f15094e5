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
    private long _threadNanoseconds;

    /// <summary>All processor time of the engine's thread until its last batch, looking for work included.</summary>
    public long ThreadNanoseconds => Volatile.Read(ref _threadNanoseconds);

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
    /// <param name="batch">What was computed.</param>
    /// <param name="since">Processor time of the engine's thread when it began.</param>
    /// <param name="now">And when it ended.</param>
    public void Count(OperationBatch batch, long since, long now)
    {
        Volatile.Write(ref _threadNanoseconds, now);
        if (batch[0].Algorithm is not (RsaAlgorithm.Crt or RsaAlgorithm.Plain))
        {
            return;
        }

        int size = (batch[0].ModulusBytes / SizeStepBytes) - 1;
        Volatile.Write(ref _nanoseconds[size], _nanoseconds[size] + now - since);
        Volatile.Write(ref _operations[size], _operations[size] + batch.Count);
    }
}
