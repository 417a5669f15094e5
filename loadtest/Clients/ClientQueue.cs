using System.Diagnostics;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Linux;
using WarpProxy.LoadTest.Engines;

namespace WarpProxy.LoadTest.Clients;

/// <summary>One of many clients of a device: a connection with its queue pair, and some operations that it keeps in flight. One thread.</summary>
internal sealed class ClientQueue : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly QueuePair _pair;
    private readonly DmaArena _arena;
    private readonly BenchKey _key;
    private readonly byte[] _answer;
    private readonly ulong _keyIova;
    private readonly long[] _postedAt;

    private ClientQueue(EmulatedDevice device, BenchKey key, byte[] answer)
    {
        _arena = new DmaArena(device);
        _pair = new QueuePair(device);
        _key = key;
        _answer = answer;
        _ = _arena.TryWriteKey(key.CrtBlock, out KeyPlace place);
        _keyIova = place.Iova;
        _postedAt = new long[device.Depth];
        for (int i = 0; i < device.Depth; i++)
        {
            key.Input.CopyTo(_arena.Input(i, key.ModulusBytes));
        }
    }

    /// <summary>Operations that came back right.</summary>
    public long Completed { get; private set; }

    /// <summary>The longest time between a post and its answer.</summary>
    public TimeSpan LongestWait { get; private set; }

    /// <summary>Operations that are posted and not answered.</summary>
    public int InFlight => _pair.InFlight;

    /// <summary>Connects and starts a queue; null: the device has none left.</summary>
    /// <exception cref="LinuxException">The device is not there.</exception>
    public static ClientQueue? TryOpen(string socket, int depth, BenchKey key, byte[] answer)
    {
        try
        {
            return new ClientQueue(EmulatedDevice.Open(VfioUserClient.Connect(socket, Timeout), depth), key, answer);
        }
        catch (LinuxException refusal) when (refusal.Error == Errno.ENOSPC)
        {
            return null;
        }
    }

    /// <summary>Posts until so many are in flight.</summary>
    public void Fill(int inFlight)
    {
        if (_pair.InFlight >= inFlight)
        {
            return;
        }

        long now = Stopwatch.GetTimestamp();
        while (_pair.InFlight < inFlight)
        {
            int index = _pair.NextIndex;
            _arena.Output(index, _key.ModulusBytes).Clear();
            _postedAt[index] = now;
            var entry = new SubmissionEntry
            {
                Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
                TaskLength1 = (byte)((_key.ModulusBytes / 8) - 1),
                KeyIova = _keyIova,
                InputIova = _arena.InputIova(index),
                OutputIova = _arena.OutputIova(index),
                Tag = (ulong)index,
            };
            if (!_pair.TryPost(entry))
            {
                throw new InvalidOperationException($"The ring is full at {_pair.InFlight} operations.");
            }
        }

        _pair.Ring();
    }

    /// <summary>Takes what has come back; returns how many.</summary>
    public int Reap()
    {
        int count = 0;
        ReapResult result = _pair.TryReap(out Completion completion);
        while (result == ReapResult.Completed)
        {
            if (completion.Error != HpreError.None || !_arena.Output(completion.Index, _key.ModulusBytes).SequenceEqual(_answer))
            {
                throw new InvalidOperationException($"An operation came back wrong: {completion}.");
            }

            TimeSpan wait = Stopwatch.GetElapsedTime(_postedAt[completion.Index]);
            LongestWait = wait > LongestWait ? wait : LongestWait;
            count++;
            result = _pair.TryReap(out completion);
        }

        if (result == ReapResult.Broken)
        {
            throw new InvalidOperationException("The device gave a queue up.");
        }

        Completed += count;
        return count;
    }

    /// <summary>Sleeps until something has come back.</summary>
    public void Wait() => _pair.Wait(Timeout, TimeSpan.Zero);

    /// <summary>Counts from nothing again.</summary>
    public void Forget()
    {
        Completed = 0;
        LongestWait = TimeSpan.Zero;
    }

    public void Dispose()
    {
        _pair.Dispose();
        _arena.Dispose();
    }
}
