using WarpDrive.Emulator;

namespace WarpProxy.Offload;

/// <summary>Processor time of the embedded device's engines, threads of this process, since the start or between two moments.</summary>
internal sealed class EngineUse
{
    /// <summary>Key sizes that are counted apart.</summary>
    public static readonly int[] SizesInBits = [2048, 3072, 4096];

    /// <summary>All that their threads used, looking for work included.</summary>
    public long ThreadNanoseconds { get; set; }

    /// <summary>Operations that they computed, by key size (<see cref="SizesInBits"/>).</summary>
    public long[] Operations { get; } = new long[SizesInBits.Length];

    /// <summary>Time that they computed these for.</summary>
    public long[] ComputeNanoseconds { get; } = new long[SizesInBits.Length];

    /// <summary>What one operation cost, a share of the time between computations included; null when there was none.</summary>
    /// <param name="size">One of the sizes.</param>
    public double? NanosecondsOf(int size)
    {
        if (size >= Operations.Length || Operations[size] <= 0)
        {
            return null;
        }

        long computed = ComputeNanoseconds.Sum();
        double whole = computed > 0 ? Math.Max((double)ThreadNanoseconds / computed, 1) : 1;
        return whole * ComputeNanoseconds[size] / Operations[size];
    }

    /// <summary>Adds what a device's engines did.</summary>
    public void Add(EmulatedAccelerator device)
    {
        ThreadNanoseconds += device.GetThreadNanoseconds();
        for (int i = 0; i < SizesInBits.Length; i++)
        {
            (long operations, long nanoseconds) = device.GetWork(SizesInBits[i] / 8);
            Operations[i] += operations;
            ComputeNanoseconds[i] += nanoseconds;
        }
    }

    /// <summary>Takes over another's numbers.</summary>
    public void CopyFrom(EngineUse other)
    {
        ThreadNanoseconds = other.ThreadNanoseconds;
        other.Operations.CopyTo(Operations, 0);
        other.ComputeNanoseconds.CopyTo(ComputeNanoseconds, 0);
    }

    /// <summary>Becomes what came between two moments.</summary>
    public void SetDifference(EngineUse earlier, EngineUse later)
    {
        ThreadNanoseconds = later.ThreadNanoseconds - earlier.ThreadNanoseconds;
        for (int i = 0; i < Operations.Length; i++)
        {
            Operations[i] = later.Operations[i] - earlier.Operations[i];
            ComputeNanoseconds[i] = later.ComputeNanoseconds[i] - earlier.ComputeNanoseconds[i];
        }
    }
}
