using System.Diagnostics;
using WarpProxy.Offload;
using WarpProxy.Telemetry;
using WarpProxy.Tls;

namespace WarpProxy.Live;

/// <summary>
/// What completed handshakes took since the start, by path and key size: how many, how long, how much processor time; and how full batches were. Of fixed size:
/// recording allocates nothing and takes no lock that all handshakes share. Any thread.
/// </summary>
internal sealed class HandshakeStatistics
{
    /// <summary>Key sizes that are counted apart; all others are together in one more.</summary>
    public static readonly int[] SizesInBits = EngineUse.SizesInBits;

    /// <summary>Key sizes, the one for all others included.</summary>
    public const int SizeCount = 4;

    /// <summary>Classes of handshakes: those of devices by key size, then those of software.</summary>
    public const int ClassCount = 2 * SizeCount;

    /// <summary>Batches of so many operations and more are counted together.</summary>
    public const int MaxBatchSize = 16;

    // Each counts alone; no order between them is promised, so that atomic additions are all that is needed.
    private readonly long[] _counts = new long[ClassCount];
    private readonly long[] _processorNanoseconds = new long[ClassCount];
    private readonly DurationHistogram[] _durations = [.. Enumerable.Range(0, ClassCount).Select(static _ => new DurationHistogram())];
    private readonly long[] _batches = new long[MaxBatchSize + 1];
    private long _others;

    /// <summary>The slowest ones of the last minutes.</summary>
    public SlowestBoard Slowest { get; } = new();

    /// <summary>The class of handshakes of a path (device or not) with keys of a size.</summary>
    public static int ClassOf(bool isOnDevice, int size) => (isOnDevice ? 0 : SizeCount) + size;

    /// <summary>Which of the sizes a key has.</summary>
    public static int SizeOf(int modulusBits)
    {
        int size = Array.IndexOf(SizesInBits, modulusBits);
        return size >= 0 ? size : SizeCount - 1;
    }

    /// <summary>A handshake has ended in a connection.</summary>
    /// <param name="handshake">With all that is known of it.</param>
    /// <param name="ended">When.</param>
    public void Record(Handshake handshake, long ended)
    {
        bool isOnDevice = ReferenceEquals(handshake.Path, HandshakePath.Device);
        if (!isOnDevice && !ReferenceEquals(handshake.Path, HandshakePath.Software))
        {
            Interlocked.Increment(ref _others);
            return;
        }

        int at = ClassOf(isOnDevice, SizeOf(handshake.ModulusBits));
        Interlocked.Increment(ref _counts[at]);
        Interlocked.Add(ref _processorNanoseconds[at], handshake.ProcessorNanoseconds);
        _durations[at].Record(Stopwatch.GetElapsedTime(handshake.Begun, ended));
        Slowest.Offer(handshake, ended);
    }

    /// <summary>A device has computed an operation together with others.</summary>
    /// <param name="size">How many they were, itself included.</param>
    public void RecordBatch(int size) => Interlocked.Increment(ref _batches[Math.Clamp(size, 1, MaxBatchSize)]);

    /// <summary>Copies all counts; each is right, but not all are of one instant.</summary>
    public void CopyTo(StatisticsSnapshot snapshot)
    {
        snapshot.Others = Interlocked.Read(ref _others);
        for (int i = 0; i < ClassCount; i++)
        {
            snapshot.Counts[i] = Interlocked.Read(ref _counts[i]);
            snapshot.ProcessorNanoseconds[i] = Interlocked.Read(ref _processorNanoseconds[i]);
            _durations[i].CopyTo(snapshot.DurationsOf(i));
        }

        for (int i = 0; i < snapshot.Batches.Length; i++)
        {
            snapshot.Batches[i] = Interlocked.Read(ref _batches[i]);
        }
    }
}
