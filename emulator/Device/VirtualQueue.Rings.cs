using System.Runtime.CompilerServices;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpDrive.Emulator;

/// <content>The device's side of the rings. Engines call the internal members, from any thread.</content>
/// <remarks>
/// <code>
///   published         fetched          tail             Three indices run round the rings: what the host posted (tail), what
///       |  in flight     |   waiting     |              engines took (fetched) and what has its CQE (published). SQE i is
///   ----+----------------+---------------+----->        answered by CQE i.
/// </code>
/// Several engines may hold operations of one queue. Each writes output and control word as soon as it has computed them, in
/// whatever order; the CQE, which alone tells the host, waits until those of all earlier operations are written. So a result
/// never has to be kept, and no engine ever waits for another.
/// </remarks>
internal sealed partial class VirtualQueue
{
    // No word has this value.
    private const long None = -1;

    private readonly bool[] _computed = new bool[DeviceUserShare.MaxDepth];
    private readonly BatchTimes[] _times = new BatchTimes[DeviceUserShare.MaxDepth];
    private long _generation;
    private int _tail;
    private int _head;
    private int _fetched;
    private int _published;
    private ulong _phase;
    private long _badTail;
    private long _badHead;

    /// <summary>
    /// How many operations wait to be fetched, as far as is known without waiting for the queue's lock; none when the first of them
    /// does not belong into <paramref name="batch"/>.
    /// </summary>
    internal int CountWaiting(OperationBatch batch)
    {
        if (!_lock.TryEnter())
        {
            return 0;
        }

        try
        {
            int waiting = _state == QueueState.Started ? ReadTail() : 0;
            return waiting > 0 && BelongsInto(batch, ReadEntry(_fetched)) ? waiting : 0;
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>
    /// Takes the next operation into <paramref name="batch"/>, which has room for it, if it is of the kind of those that are there
    /// already. A queue that another thread works on just now counts as empty: whoever goes to sleep looks again with <see cref="Arm"/>.
    /// </summary>
    internal FetchOutcome TryFetch(OperationBatch batch, out FetchedOperation operation)
    {
        operation = default;
        if (!_lock.TryEnter())
        {
            return FetchOutcome.Nothing;
        }

        try
        {
            FetchOutcome outcome = Look();
            return outcome == FetchOutcome.Ready ? Fetch(batch, out operation) : outcome;
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Writes the result of an operation, or its error, and every CQE that has become due.</summary>
    internal CompletionOutcome Complete(in FetchedOperation operation, HpreError error, ReadOnlySpan<byte> output)
    {
        lock (_lock)
        {
            if (operation.Generation != _generation || _state != QueueState.Started)
            {
                return CompletionOutcome.Forgotten;
            }

            if (error == HpreError.None)
            {
                // Again, and not the span of the fetch: the range may be unmapped since.
                if (_dma.TryTranslate(operation.OutputIova, output.Length, DmaAccess.Write, out Span<byte> memory))
                {
                    output.CopyTo(memory);
                }
                else
                {
                    error = HpreError.Address;
                }
            }

            Finish(operation.Index, operation.Control, error, operation.Times);
            return error == HpreError.None ? CompletionOutcome.Done : CompletionOutcome.Failed;
        }
    }

    /// <summary>Sets "device asleep" and looks at the queue once more: an engine wants to sleep, or does.</summary>
    internal FetchOutcome Arm()
    {
        lock (_lock)
        {
            if (_state != QueueState.Started)
            {
                return FetchOutcome.Nothing;
            }

            // Exchange is a full barrier between this store and the load of SQ tail. The host stores its tail, has a full barrier
            // and loads this flag: so one of the two sees the other's store, and no post is slept over.
            _ = Interlocked.Exchange(ref _doorbells.Memory.At<uint>(ParavirtualDoorbell.DeviceAsleepOffset), 1);
            return Look();
        }
    }

    /// <summary>Clears "device asleep": every engine is awake, so the host need not signal.</summary>
    internal void Disarm()
    {
        lock (_lock)
        {
            if (_state == QueueState.Started)
            {
                // A plain flag: whoever clears it looks at the queue again before it sleeps.
                Volatile.Write(ref _doorbells.Memory.At<uint>(ParavirtualDoorbell.DeviceAsleepOffset), 0);
            }
        }
    }

    private void ResetIndices()
    {
        _generation++;
        _tail = 0;
        _head = 0;
        _fetched = 0;
        _published = 0;
        _phase = 1;
        _badTail = None;
        _badHead = None;
        Array.Clear(_computed);
    }

    private int Next(int index) => (index + 1) & (_depth - 1);

    private FetchOutcome Look()
    {
        if (_state != QueueState.Started || ReadTail() == 0)
        {
            return FetchOutcome.Nothing;
        }

        // The second condition holds whatever head the host names: an SQE in flight is never fetched twice.
        ReadIndex(ParavirtualDoorbell.CompletionHeadOffset, ref _head, ref _badHead);
        int next = Next(_fetched);
        return next == _head || next == _published ? FetchOutcome.CompletionQueueFull : FetchOutcome.Ready;
    }

    /// <summary>Reads SQ tail and returns how many operations wait.</summary>
    private int ReadTail()
    {
        ReadIndex(ParavirtualDoorbell.SubmissionTailOffset, ref _tail, ref _badTail);
        return (_tail - _fetched) & (_depth - 1);
    }

    /// <summary>Reads an index that the host wrote; one of depth or more is ignored, and counted when it is a new one.</summary>
    private void ReadIndex(int offset, ref int index, ref long lastBad)
    {
        // Acquire: the entries are read after the tail that covers them.
        uint value = Volatile.Read(ref _doorbells.Memory.At<uint>(offset));
        if (value < (uint)_depth)
        {
            index = (int)value;
            lastBad = None;
        }
        else if (value != lastBad)
        {
            lastBad = value;
            _ignoredDoorbells++;
        }
    }

    private FetchOutcome Fetch(OperationBatch batch, out FetchedOperation operation)
    {
        int index = _fetched;
        SubmissionEntry entry = ReadEntry(index);
        if (!BelongsInto(batch, entry))
        {
            operation = default;
            return FetchOutcome.OtherKind;
        }

        _fetched = Next(index);
        operation = new FetchedOperation(this, _generation, index, entry.Control, entry.OutputIova);
        HpreError error = Take(entry, batch);
        if (error == HpreError.None)
        {
            return FetchOutcome.Ready;
        }

        Finish(index, entry.Control, error, default);
        return FetchOutcome.Refused;
    }

    /// <summary>Reads an entry once, into a local of the caller: from then on the host may write what it likes.</summary>
    private SubmissionEntry ReadEntry(int index) => Unsafe.ReadUnaligned<SubmissionEntry>(
        ref _dus.Memory.Slice(DeviceUserShare.SubmissionOffset(index), SubmissionEntry.SizeInBytes)[0]);

    /// <summary>Whether an entry asks for what the batch holds. One that asks for nothing that is computed belongs anywhere, to be refused.</summary>
    private static bool BelongsInto(OperationBatch batch, in SubmissionEntry entry) =>
        batch.Count == 0
        || !TryReadKind(entry, out HpreAlgorithm asked, out int modulusBytes)
        || (batch[0].Algorithm == EngineAlgorithm(asked) && batch[0].ModulusBytes == modulusBytes);

    /// <summary>What an entry asks for; false: nothing that the device computes.</summary>
    private static bool TryReadKind(in SubmissionEntry entry, out HpreAlgorithm asked, out int modulusBytes)
    {
        modulusBytes = (entry.TaskLength1 + 1) * 8;
        asked = SubmissionControl.Algorithm(entry.Control);
        return asked <= HpreAlgorithm.KeyGenerationCrt
            && RsaKeyBlock.IsSupportedModulus(modulusBytes)
            && SubmissionControl.IsPosted(entry.Control);
    }

    private static RsaAlgorithm EngineAlgorithm(HpreAlgorithm asked) => asked switch
    {
        HpreAlgorithm.RsaCrt => RsaAlgorithm.Crt,
        HpreAlgorithm.KeyGeneration => RsaAlgorithm.KeyGeneration,
        HpreAlgorithm.KeyGenerationCrt => RsaAlgorithm.KeyGenerationCrt,
        _ => RsaAlgorithm.Plain,
    };

    /// <summary>Checks an entry and copies its key block and input into the batch.</summary>
    private HpreError Take(in SubmissionEntry entry, OperationBatch batch)
    {
        if (!TryReadKind(entry, out HpreAlgorithm asked, out int modulusBytes))
        {
            return HpreError.Unsupported;
        }

        if (!_dma.TryTranslate(entry.KeyIova, RsaKeyBlock.SizeInBytes(asked, modulusBytes), DmaAccess.Read, out Span<byte> key)
            || !_dma.TryTranslate(entry.OutputIova, RsaKeyBlock.OutputBytes(asked, modulusBytes), DmaAccess.Write, out _))
        {
            return HpreError.Address;
        }

        // Without an input its address says nothing: UADK leaves it 0.
        int inputBytes = RsaKeyBlock.InputBytes(asked, modulusBytes);
        Span<byte> input = default;
        if (inputBytes > 0 && !_dma.TryTranslate(entry.InputIova, inputBytes, DmaAccess.Read, out input))
        {
            return HpreError.Address;
        }

        int at = batch.Add(EngineAlgorithm(asked), modulusBytes);
        key.CopyTo(batch.Key(at));
        input.CopyTo(batch.Input(at));
        return HpreError.None;
    }

    /// <summary>Writes the control word of an operation whose output, if any, is written, and publishes what is due.</summary>
    private void Finish(int index, uint posted, HpreError error, in BatchTimes times)
    {
        int control = DeviceUserShare.SubmissionOffset(index) + SubmissionEntry.ControlOffset;
        _dus.Memory.At<uint>(control) = SubmissionControl.Complete(posted, error);
        _computed[index] = true;
        _times[index] = _extensions == DeviceCapabilities.CompletionTimes ? times : default;
        if (index == _published)
        {
            Publish();
        }
    }

    private void Publish()
    {
        MappedMemory dus = _dus.Memory;
        while (_published != _fetched && _computed[_published])
        {
            _computed[_published] = false;
            int completion = DeviceUserShare.CompletionOffset(_depth, _published);
            ref readonly BatchTimes times = ref _times[_published];
            dus.At<ulong>(completion) = times.FirstWord;

            // Release: output, control word and the rest of the entry are visible before its phase, which ends this word.
            Volatile.Write(ref dus.At<ulong>(completion + 8), (uint)_published | ((ulong)Number << 16) | (times.Microseconds << 32) | (_phase << 48));
            _published = Next(_published);
            _phase ^= _published == 0 ? 1u : 0u;
        }

        // Full barrier between the phase and "host asleep": the host stores the flag, has a full barrier and reads the phase, so one
        // of the two sees the other's store.
        Interlocked.MemoryBarrier();
        ref uint hostAsleep = ref _doorbells.Memory.At<uint>(ParavirtualDoorbell.HostAsleepOffset);
        if (Volatile.Read(ref hostAsleep) == 1 && Interlocked.Exchange(ref hostAsleep, 0) == 1)
        {
            _interrupt?.Signal();
        }
    }
}
