using System.Diagnostics;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;

namespace WarpProxy.LoadTest.Rings;

/// <summary>One thread that keeps a number of operations in flight on one queue pair.</summary>
internal sealed class RingsLoop : IDisposable
{
    private const int Depth = 128;
    private const int ModulusBytes = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly QueuePair _pair;
    private readonly DmaArena _arena;
    private readonly ulong _keyIova;

    public RingsLoop(IVfioDevice vfio)
    {
        EmulatedDevice device = EmulatedDevice.Open(vfio, Depth);
        _arena = new DmaArena(device);
        _pair = new QueuePair(device);
        _ = _arena.TryWriteKey(new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, ModulusBytes)], out KeyPlace key);
        _keyIova = key.Iova;
        for (int i = 0; i < Depth; i++)
        {
            _arena.Input(i, ModulusBytes).Fill((byte)i);
        }
    }

    /// <summary>Runs operations for the time and returns how many; every result is looked at.</summary>
    public RingsSample Run(int inFlight, TimeSpan time)
    {
        long done = 0;
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            // The clock is read once per 64 operations at most.
            for (int i = 0; i < 64;)
            {
                int posted = Fill(inFlight);
                if (posted > 0)
                {
                    _pair.Ring();
                }

                i += ReapAll();
            }
        }

        while (_pair.InFlight > 0)
        {
            ReapAll();
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        return new RingsSample(done, elapsed, allocated);

        int ReapAll()
        {
            int count = 0;
            _pair.Wait(Patience, Patience);
            ReapResult result = _pair.TryReap(out Completion completion);
            while (result == ReapResult.Completed)
            {
                if (completion.Error != HpreError.None || _arena.Output(completion.Index, ModulusBytes)[^1] != (byte)completion.Index)
                {
                    throw new InvalidOperationException($"Operation {done + count} came back wrong: {completion}.");
                }

                count++;
                result = _pair.TryReap(out completion);
            }

            if (count == 0)
            {
                throw new InvalidOperationException($"The device did not answer within {Patience.TotalSeconds} s: {result}.");
            }

            done += count;
            return count;
        }
    }

    public void Dispose()
    {
        _pair.Dispose();
        _arena.Dispose();
    }

    private int Fill(int inFlight)
    {
        int posted = 0;
        while (_pair.InFlight < inFlight)
        {
            int index = _pair.NextIndex;
            _arena.Output(index, ModulusBytes)[^1] = (byte)~index;
            var entry = new SubmissionEntry
            {
                Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
                TaskLength1 = (ModulusBytes / 8) - 1,
                KeyIova = _keyIova,
                InputIova = _arena.InputIova(index),
                OutputIova = _arena.OutputIova(index),
                Tag = (ulong)index,
            };
            if (!_pair.TryPost(entry))
            {
                throw new InvalidOperationException($"The ring is full at {_pair.InFlight} operations of {Depth}.");
            }

            posted++;
        }

        return posted;
    }
}

/// <summary>What one run measured.</summary>
/// <param name="Operations">Completed.</param>
/// <param name="Elapsed">From the first post to the last reap.</param>
/// <param name="AllocatedBytes">By all threads of this process meanwhile.</param>
internal sealed record RingsSample(long Operations, TimeSpan Elapsed, long AllocatedBytes);
