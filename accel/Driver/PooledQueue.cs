using System.Security.Cryptography;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver.Devices;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>Who may touch a queue of the pool.</summary>
internal enum QueueOwner
{
    /// <summary>Closed; the supervisor opens it.</summary>
    Absent,

    /// <summary>On the stack of idle queues.</summary>
    Idle,

    /// <summary>The thread that runs an operation on it.</summary>
    Operation,

    /// <summary>The supervisor: an operation was abandoned at its deadline and its slot is still the device's.</summary>
    Stalled,

    /// <summary>The supervisor: the device is gone or broke its protocol.</summary>
    Broken,

    /// <summary>The supervisor: a key is to be erased.</summary>
    Erasing,

    /// <summary>The supervisor: it asks the device what is known.</summary>
    Probing,
}

/// <summary>
/// One queue pair of a pool with its arena and the keys written there. Used by its owner alone; the owner changes
/// through the pool's stack of idle queues or by <see cref="Owner"/>.
/// </summary>
internal sealed class PooledQueue(int number, QueuePoolOptions options, TimeProvider time) : IDisposable
{
    // An interrupt may come late, after its completion was seen. A device that goes on waking a thread for nothing would have a processor to itself
    // until the deadline of each operation.
    private const int MaxVainInterrupts = 100;

    private QueuePair? _pair;
    private DmaArena? _arena;
    private KeyPlace[] _keyPlaces = []; // by the key's number; default: not written
    private volatile QueueOwner _owner; // release and acquire: what the last owner wrote is seen by the next
    private volatile bool _isUnlocked;
    private long _operationCount;
    private DeviceKey? _key;            // of the operation under way, with the next four
    private OperationTimeline? _timeline;
    private int _index;                 // where it was posted
    private long _begun;
    private TimeSpan _deadline;

    /// <summary>The queue's place in its device's list.</summary>
    public int Number => number;

    /// <summary>Its limits. Those of time may be changed by any thread, and hold from the next operation on.</summary>
    public QueuePoolOptions Options
    {
        get => options;
        set => options = value;
    }

    /// <summary>Written by the owner when it gives the queue away, read by anybody.</summary>
    public QueueOwner Owner
    {
        get => _owner;
        set => _owner = value;
    }

    /// <summary>When the operation was abandoned (of the pool's TimeProvider); supervisor and operation thread.</summary>
    public long StalledSince { get; set; }

    public int InFlight => Volatile.Read(ref _pair)?.InFlight ?? 0;

    public long OperationCount => Volatile.Read(ref _operationCount);

    /// <summary>Supervisor only, who alone opens and closes.</summary>
    public bool IsGone => _pair is null || _pair.Device.IsGone;

    /// <summary>Whether some of its memory, keys perhaps, may be written to swap. Any thread.</summary>
    public bool IsUnlocked => _isUnlocked;

    /// <summary>Keys retired up to this generation of the device are erased. The owner's.</summary>
    public int EraseGeneration { get; set; }

    public DeviceQueue Device => _pair!.Device;

    /// <summary>Connects and starts a queue pair.</summary>
    /// <param name="endpoint">The device.</param>
    /// <param name="eraseGeneration">Of the device, now: a new arena has no retired key.</param>
    /// <exception cref="LinuxException">The device is absent, has no queue left, or there is no memory.</exception>
    /// <exception cref="AcceleratorException">It is no device that this driver knows.</exception>
    public void Open(DeviceEndpoint endpoint, int eraseGeneration)
    {
        DeviceQueue? device = null;
        try
        {
            device = endpoint.Open(options.Depth);
            int slots = Math.Min(options.Depth, device.Depth);
            _arena = new DmaArena(device, slots);
            _isUnlocked = !_arena.IsLocked;
            Volatile.Write(ref _pair, new QueuePair(device, slots));
            EraseGeneration = eraseGeneration;
        }
        catch (Exception e)
        {
            device?.Dispose();
            _arena?.Dispose();
            _arena = null;
            if (e is VfioUserProtocolException)
            {
                throw new AcceleratorException(e.Message, e);
            }

            throw;
        }
    }

    /// <summary>
    /// Closes the queue pair, then zeroes and releases its arena. A device in another process may write a last result into
    /// its own mapping of that memory, which nobody uses again.
    /// </summary>
    public void Close()
    {
        _pair?.Dispose();
        Volatile.Write(ref _pair, null);
        _arena?.Dispose();
        _arena = null;
        Array.Clear(_keyPlaces);
        Owner = QueueOwner.Absent;
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    /// <summary>A probe of the device by this queue, which is its own until the probe is over.</summary>
    public KnownAnswerProbe CreateProbe(int operationCount) =>
        new(_pair!, _arena!, options.KnownAnswers, operationCount, options.Deadline, time);

    /// <summary>Posts an operation and rings; its steps go into <paramref name="timeline"/>. When that fails, there is nothing to poll and <paramref name="refusal"/> is its outcome.</summary>
    public bool TryBegin(DeviceKey key, ReadOnlySpan<byte> input, string deviceUri, OperationTimeline? timeline, out AcceleratorError refusal)
    {
        QueuePair pair = _pair!;
        DmaArena arena = _arena!;
        refusal = AcceleratorError.DeviceGone;
        if (!pair.Device.TakesModulus(key.ModulusBytes))
        {
            refusal = AcceleratorError.UnsupportedKey;
            return false;
        }

        try
        {
            int index = pair.NextIndex;
            input.CopyTo(arena.Input(index, key.ModulusBytes));
            var entry = new SubmissionEntry
            {
                Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
                TaskLength1 = (byte)((key.ModulusBytes / 8) - 1),
                KeyIova = FindOrWriteKey(key),
                InputIova = arena.InputIova(index),
                OutputIova = arena.OutputIova(index),
                Tag = (ulong)index,
            };
            _key = key;
            _timeline = timeline;
            _index = index;
            _begun = time.GetTimestamp();
            _deadline = options.DeadlineFor(key.ModulusBytes);
            if (!pair.TryPost(entry))
            {
                refusal = AcceleratorError.Busy;
                return false;
            }

            timeline?.RecordPost(deviceUri, pair.Device.QueueNumber);
            pair.Ring();
            refusal = AcceleratorError.None;
            return true;
        }
        catch (LinuxException)
        {
            // A new key needed memory or a mapping that was refused. The queue starts anew.
            return false;
        }
        catch (VfioUserProtocolException)
        {
            refusal = AcceleratorError.Protocol;
            return false;
        }
    }

    /// <summary>
    /// Looks after the operation that began, without waiting. Returns whether it is over: completed, given up at its deadline, or lost with
    /// the device; then <see cref="End"/> wants the outcome.
    /// </summary>
    public bool TryPoll(out AcceleratorError outcome)
    {
        outcome = AcceleratorError.None;
        switch (_pair!.TryReap(out Completion completion))
        {
            case ReapResult.Broken:
                outcome = AcceleratorError.Protocol;
                return true;
            case ReapResult.Empty:
                outcome = _pair.Device.IsGone ? AcceleratorError.DeviceGone
                    : TimeLeft <= TimeSpan.Zero ? AcceleratorError.Deadline
                    : AcceleratorError.None;
                return outcome != AcceleratorError.None;
        }

        if (completion.Index != _index)
        {
            // Idle queues have nothing else in flight.
            outcome = AcceleratorError.Protocol;
            return true;
        }

        _timeline?.RecordReap(completion);
        Volatile.Write(ref _operationCount, _operationCount + 1);
        outcome = completion.Error == HpreError.None ? AcceleratorError.None : AcceleratorError.DeviceError;
        return true;
    }

    /// <summary>Waits until the operation that began is over; returns its outcome for <see cref="End"/>.</summary>
    public AcceleratorError Wait()
    {
        try
        {
            int interrupts = 0;
            while (true)
            {
                interrupts += _pair!.Wait(TimeLeft, options.SpinTime) ? 1 : 0;
                if (TryPoll(out AcceleratorError outcome))
                {
                    return outcome;
                }

                if (interrupts > MaxVainInterrupts)
                {
                    return AcceleratorError.Protocol;
                }
            }
        }
        catch (LinuxException)
        {
            return AcceleratorError.DeviceGone;
        }
    }

    /// <summary>Ends the operation: checks the result that <paramref name="outcome"/> promises and hands it out.</summary>
    /// <returns>The outcome, or that the result is wrong.</returns>
    public AcceleratorError End(AcceleratorError outcome, ReadOnlySpan<byte> input, Span<byte> output)
    {
        DeviceKey key = _key!;
        OperationTimeline? timeline = _timeline;
        _key = null;
        _timeline = null;
        if (outcome == AcceleratorError.None)
        {
            outcome = Take(_arena!, key, input, output, _index);
            timeline?.RecordCheck();
            return outcome;
        }

        if (outcome == AcceleratorError.DeviceError)
        {
            CryptographicOperations.ZeroMemory(_arena!.Output(_index, key.ModulusBytes));
        }

        return outcome;
    }

    /// <summary>Reaps what operations left behind at their deadline. True: nothing is in flight any more. Null: the queue is broken.</summary>
    public bool? TryReapAbandoned()
    {
        while (true)
        {
            switch (_pair!.TryReap(out Completion completion))
            {
                case ReapResult.Broken:
                    return null;
                case ReapResult.Empty:
                    return _pair.InFlight == 0;
            }

            CryptographicOperations.ZeroMemory(_arena!.Output(completion.Index, RsaKeyBlock.MaxModulusBytes));
        }
    }

    /// <summary>Whether the arena has a copy of the key. Any thread may ask about a key that is not used any more.</summary>
    public bool Holds(DeviceKey key)
    {
        KeyPlace[] places = Volatile.Read(ref _keyPlaces);
        return key.Number < places.Length && places[key.Number].Iova != 0;
    }

    /// <summary>Zeroes a key that is not used any more.</summary>
    public void Erase(DeviceKey key)
    {
        if (key.Number < _keyPlaces.Length && _keyPlaces[key.Number].Iova != 0)
        {
            _arena?.EraseKey(_keyPlaces[key.Number]);
            _keyPlaces[key.Number] = default;
        }
    }

    private TimeSpan TimeLeft => _deadline - time.GetElapsedTime(_begun);

    private ulong FindOrWriteKey(DeviceKey key)
    {
        if (key.Number >= _keyPlaces.Length)
        {
            Array.Resize(ref _keyPlaces, Math.Max(4, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)key.Number + 1)));
        }

        ref KeyPlace place = ref _keyPlaces[key.Number];
        if (place.Iova == 0)
        {
            if (!_arena!.TryWriteKey(key.CrtBlock, out place))
            {
                // More keys are in use than have room. Nothing is in flight: whoever runs an operation has the queue alone.
                _arena.EraseAllKeys();
                Interlocked.MemoryBarrier();        // whoever sees that a key is not held may count on its being erased
                Array.Clear(_keyPlaces);
                _ = _arena.TryWriteKey(key.CrtBlock, out place);
            }

            _isUnlocked |= !_arena.IsLocked;
        }

        return place.Iova;
    }

    private static AcceleratorError Take(DmaArena arena, DeviceKey key, ReadOnlySpan<byte> input, Span<byte> output, int index)
    {
        // Out of the shared memory first, then the check: a device could change what was checked.
        Span<byte> result = stackalloc byte[RsaKeyBlock.MaxModulusBytes];
        result = result[..key.ModulusBytes];
        Span<byte> shared = arena.Output(index, key.ModulusBytes);
        shared.CopyTo(result);

        // Decryption gives a secret.
        CryptographicOperations.ZeroMemory(shared);
        try
        {
            if (!key.FaultCheck(input, result))
            {
                return AcceleratorError.WrongResult;
            }

            result.CopyTo(output);
            return AcceleratorError.None;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(result);
        }
    }
}
