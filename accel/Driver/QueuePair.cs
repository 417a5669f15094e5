using System.Diagnostics;
using System.Runtime.CompilerServices;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver.Devices;

namespace WarpDrive.Driver;

/// <summary>How a look at the completion ring ended.</summary>
public enum ReapResult
{
    /// <summary>No completion is there.</summary>
    Empty,

    /// <summary>One completion was taken.</summary>
    Completed,

    /// <summary>The device broke its protocol; nothing in this queue can be believed any more.</summary>
    Broken,
}

/// <summary>A completion, copied out of the rings and checked.</summary>
/// <param name="Index">The slot of the submission.</param>
/// <param name="Tag">The submission's tag as this host posted it.</param>
/// <param name="Error">Why the device did not compute it; zero when it did.</param>
public readonly record struct Completion(int Index, ulong Tag, HpreError Error)
{
    /// <summary>What the device says of how it was computed, unchecked: see <see cref="CompletionEntry"/>.</summary>
    public int BatchSize { get; init; }

    /// <inheritdoc cref="BatchSize"/>
    public uint ComputedAt { get; init; }

    /// <inheritdoc cref="BatchSize"/>
    public int ComputeMicroseconds { get; init; }
}

/// <summary>
/// The host's side of one queue pair: posts submissions, rings the doorbell, reaps completions.
/// Owned by one thread at a time; no member may be called from two threads at once.
/// </summary>
public sealed class QueuePair : IDisposable
{
    private readonly DeviceQueue _device;
    private readonly int _depth;
    private readonly int _slotMask;
    private readonly ulong[] _tags;       // by submission index: what was posted there, since the ring itself is the device's to write
    private readonly bool[] _isInFlight;  // by submission index
    private readonly bool[] _isSlotTaken; // by slot
    private int _tail;                    // next submission to write
    private int _head;                    // next completion to read
    private int _phase = 1;               // of a completion that is ours
    private int _inFlight;
    private bool _isBroken;

    /// <summary>Starts the queue.</summary>
    /// <param name="device">Owned by this object.</param>
    /// <param name="slots">Operations in flight, a power of two: where the rings have more entries, several of them share a slot. Null: as many as entries.</param>
    /// <exception cref="Linux.LinuxException">The device refused.</exception>
    public QueuePair(DeviceQueue device, int? slots = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        Trace.Assert(Unsafe.SizeOf<SubmissionEntry>() == SubmissionEntry.SizeInBytes);
        Trace.Assert(Unsafe.SizeOf<CompletionEntry>() == CompletionEntry.SizeInBytes);
        _device = device;
        _depth = device.Depth;
        _tags = new ulong[_depth];
        _isInFlight = new bool[_depth];
        SlotCount = Math.Min(slots ?? _depth, _depth);
        _slotMask = SlotCount - 1;
        _isSlotTaken = new bool[SlotCount];
        device.Start();
    }

    /// <summary>The device behind the rings.</summary>
    public DeviceQueue Device => _device;

    /// <summary>Entries of each ring; one is always empty.</summary>
    public int Depth => _depth;

    /// <summary>Operations that can be in flight, one more than <see cref="TryPost"/> allows when there are as many as ring entries.</summary>
    public int SlotCount { get; }

    /// <summary>Submissions posted and not reaped. May be read by any thread.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Whether <see cref="TryReap"/> has something to say.</summary>
    private bool HasNews
    {
        get
        {
            int offset = DeviceUserShare.CompletionOffset(_depth, _head) + CompletionEntry.PhaseOffset;

            // Acquire: the rest of the entry, the submission's control word and the output are read only after the phase says they are ours.
            return _isBroken || (Volatile.Read(ref _device.Rings.At<ushort>(offset)) & 1) == _phase;
        }
    }

    /// <summary>The slot of the next submission, 0 to <see cref="SlotCount"/> - 1.</summary>
    public int NextIndex => _tail & _slotMask;

    /// <summary>Writes one submission. Returns false when the queue is full; nothing is rung yet.</summary>
    public bool TryPost(in SubmissionEntry entry)
    {
        // One entry stays empty, so that tail == head always means an empty queue. The entry at the tail, or its slot, can still be in
        // flight when a device completes out of order: hardware may, the emulated device does not.
        if (_inFlight == _depth - 1 || _isInFlight[_tail] || _isSlotTaken[_tail & _slotMask])
        {
            return false;
        }

        _device.Rings.At<SubmissionEntry>(DeviceUserShare.SubmissionOffset(_tail)) = entry;
        _tags[_tail] = entry.Tag;
        _isInFlight[_tail] = true;
        _isSlotTaken[_tail & _slotMask] = true;
        _tail = (_tail + 1) & (_depth - 1);
        Volatile.Write(ref _inFlight, _inFlight + 1);
        return true;
    }

    /// <summary>Publishes everything posted since the last call, with one doorbell.</summary>
    public void Ring() => _device.RingSubmission((uint)_tail);

    /// <summary>
    /// Takes one completion if there is one. The output of its submission may be read after this returned
    /// <see cref="ReapResult.Completed"/>; the index is free for the next trip round the ring.
    /// </summary>
    public ReapResult TryReap(out Completion completion)
    {
        completion = default;
        if (_isBroken)
        {
            return ReapResult.Broken;
        }

        if (!HasNews)
        {
            return ReapResult.Empty;
        }

        CompletionEntry entry = _device.Rings.At<CompletionEntry>(DeviceUserShare.CompletionOffset(_depth, _head));
        int index = entry.SubmissionIndex;
        if (index >= _depth || entry.QueueNumber != _device.QueueNumber || !_isInFlight[index])
        {
            return Break();
        }

        uint control = Volatile.Read(ref _device.Rings.At<uint>(DeviceUserShare.SubmissionOffset(index) + SubmissionEntry.ControlOffset));
        if (!SubmissionControl.IsDone(control))
        {
            return Break();
        }

        _isInFlight[index] = false;
        _isSlotTaken[index & _slotMask] = false;
        Volatile.Write(ref _inFlight, _inFlight - 1);
        _head = (_head + 1) & (_depth - 1);
        _phase ^= _head == 0 ? 1 : 0;
        _device.RingCompletion((uint)_head);
        completion = new Completion(index & _slotMask, _tags[index], SubmissionControl.Error(control))
        {
            BatchSize = entry.BatchSize, ComputedAt = entry.ComputedAt, ComputeMicroseconds = entry.ComputeMicroseconds,
        };
        return ReapResult.Completed;
    }

    /// <summary>
    /// Waits for a reason to call <see cref="TryReap"/>: a completion, the end of the device or of the time, or none at all. Looks for
    /// <paramref name="spinTime"/>, then sleeps.
    /// </summary>
    /// <returns>Whether an interrupt ended the wait.</returns>
    /// <exception cref="Linux.LinuxException">The wait failed.</exception>
    public bool Wait(TimeSpan timeout, TimeSpan spinTime)
    {
        if (spinTime > TimeSpan.Zero)
        {
            timeout -= Spin(spinTime < timeout ? spinTime : timeout);
        }

        if (HasNews)
        {
            return false;
        }

        // Asked for, and then looked once more: a completion that came in between interrupts nobody.
        _device.RequestInterrupt();

        // The end of a device in another process ends the sleep; an embedded one sets its stop word first and then interrupts.
        bool isInterrupted = !HasNews && !_device.IsStopped && timeout > TimeSpan.Zero && _device.Sleep(timeout);
        _device.CancelInterrupt();
        return isInterrupted;
    }

    /// <summary>Frees the queue; the device forgets what is in flight.</summary>
    public void Dispose() => _device.Dispose();

    /// <summary>What is in the ring is no completion. No wonder when the queue was given up: then its memory may be cleared, and zeros are in phase every other trip.</summary>
    private ReapResult Break()
    {
        _isBroken = !_device.IsStopped;
        return _isBroken ? ReapResult.Broken : ReapResult.Empty;
    }

    /// <summary>Looks until there is something to reap, the device stops or the time is over; returns how long that took.</summary>
    private TimeSpan Spin(TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan elapsed = TimeSpan.Zero;
        while (elapsed < limit && !_device.IsStopped)
        {
            for (int i = 0; i < 16; i++)
            {
                if (HasNews)
                {
                    return elapsed;
                }

                Thread.SpinWait(1);
            }

            elapsed = Stopwatch.GetElapsedTime(start);
        }

        return elapsed;
    }
}
