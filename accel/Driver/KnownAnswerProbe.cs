using WarpDrive.Abi.Hpre;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// Asks a device what is known: for each key size that it announces, several operations at once, so that what it computes together is
/// tried as well, and compares every byte. One queue of the device is the probe's own meanwhile. For one thread at a time.
/// </summary>
public sealed class KnownAnswerProbe
{
    // Long for a device, and short for whoever waits: a device that needs so long is too slow for any deadline.
    private static readonly TimeSpan LeastLimit = TimeSpan.FromSeconds(1);

    // As many as the widest engine computes together; more would only take longer.
    private const int MaxOperations = 16;

    private readonly QueuePair _pair;
    private readonly DmaArena _arena;
    private readonly KnownAnswer[] _answers;
    private readonly TimeProvider _time;
    private readonly TimeSpan _deadline;        // of RSA-2048
    private readonly int _operationCount;
    private readonly int[] _numbers;            // by the slot of the submission
    private readonly List<ProbeResult> _results = [];
    private KeyPlace _key;
    private long _begun;
    private int _left;                          // operations of this size that are not answered

    /// <summary>Creates a probe; the first <see cref="TryPoll"/> begins it.</summary>
    /// <param name="pair">Nothing is in flight. After a probe that failed, something may be, and it must be closed.</param>
    /// <param name="arena">The queue's.</param>
    /// <param name="answers">By size; those that the device does not announce are left out.</param>
    /// <param name="operationCount">How many to post at once.</param>
    /// <param name="deadline">As operations with RSA-2048 have it; the probe waits a second at least.</param>
    /// <param name="time">The clock of latency and deadline.</param>
    internal KnownAnswerProbe(QueuePair pair, DmaArena arena, IEnumerable<KnownAnswer> answers, int operationCount, TimeSpan deadline, TimeProvider time)
    {
        _pair = pair;
        _arena = arena;
        _answers = [.. answers.Where(answer => pair.Device.TakesModulus(answer.ModulusBytes))];
        _time = time;
        _deadline = deadline;
        _operationCount = Math.Clamp(operationCount, 1, pair.SlotCount - 1);
        _numbers = new int[pair.SlotCount];
    }

    /// <summary>One for each key size so far; a size that failed is the last.</summary>
    public IReadOnlyList<ProbeResult> Results => _results;

    /// <summary>What was wrong; null: nothing so far.</summary>
    public ProbeResult? Failure => _results is [.., { Error: not AcceleratorError.None } failure] ? failure : null;

    /// <summary>As many operations as the device computes together, and two at least.</summary>
    internal static int OperationCountOf(DeviceQueue device) => Math.Clamp(device.EngineLanes, 2, MaxOperations);

    /// <summary>Opens a queue of a device and probes it: each size alone first, then several at once; ends at the first thing that is wrong.</summary>
    /// <param name="endpoint">The device.</param>
    /// <param name="options">Limits.</param>
    /// <param name="time">The clock of the latencies.</param>
    /// <returns>In the order of asking.</returns>
    /// <exception cref="LinuxException">The device is absent, has no queue left, or there is no memory.</exception>
    /// <exception cref="AcceleratorException">It is no device that this driver knows.</exception>
    public static IReadOnlyList<ProbeResult> Run(DeviceEndpoint endpoint, QueuePoolOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        ArgumentNullException.ThrowIfNull(options);
        using var queue = new PooledQueue(0, options, time);
        queue.Open(endpoint, eraseGeneration: 0);
        List<ProbeResult> results = [];
        foreach (int operationCount in (int[])[1, OperationCountOf(queue.Device)])
        {
            KnownAnswerProbe probe = queue.CreateProbe(operationCount);
            while (!probe.TryPoll())
            {
                probe.Wait(LeastLimit);
            }

            results.AddRange(probe.Results);
            if (probe.Failure is not null)
            {
                break;
            }
        }

        return results;
    }

    /// <summary>Goes on as far as that needs no waiting. Returns whether the probe is over; <see cref="Failure"/> says how it went.</summary>
    /// <exception cref="LinuxException">No memory for the key.</exception>
    internal bool TryPoll()
    {
        while (Failure is null)
        {
            if (_left == 0)
            {
                if (_results.Count == _answers.Length)
                {
                    return true;
                }

                Post(_answers[_results.Count]);
            }

            if (Reap(_answers[_results.Count]) is not { } outcome)
            {
                return false;
            }

            if (_left == 0 || outcome != AcceleratorError.None)
            {
                _results.Add(new ProbeResult(_answers[_results.Count].Bits, _operationCount, outcome, _time.GetElapsedTime(_begun)));
                _arena.EraseKey(_key);
            }
        }

        return true;
    }

    /// <summary>Waits for a reason to poll, at most so long.</summary>
    /// <exception cref="LinuxException">The wait failed.</exception>
    internal void Wait(TimeSpan limit) => _pair.Wait(limit, TimeSpan.Zero);

    private void Post(KnownAnswer answer)
    {
        if (!_arena.TryWriteKey(answer.Block, out _key))
        {
            throw new InvalidOperationException("A new arena has room for a key.");
        }

        for (; _left < _operationCount; _left++)
        {
            int index = _pair.NextIndex;
            _numbers[index] = _left;
            answer.Input(_left).CopyTo(_arena.Input(index, answer.ModulusBytes));

            // So that an answer that nobody wrote is wrong.
            _arena.Output(index, answer.ModulusBytes).Clear();
            bool isPosted = _pair.TryPost(new SubmissionEntry
            {
                Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
                TaskLength1 = (byte)((answer.ModulusBytes / 8) - 1),
                KeyIova = _key.Iova,
                InputIova = _arena.InputIova(index),
                OutputIova = _arena.OutputIova(index),
                Tag = (ulong)index,
            });
            if (!isPosted)
            {
                throw new InvalidOperationException("An empty queue has room.");
            }
        }

        _begun = _time.GetTimestamp();
        _pair.Ring();
    }

    /// <summary>Takes what is there; null: something is missing, and there is time left.</summary>
    private AcceleratorError? Reap(KnownAnswer answer)
    {
        while (_left > 0)
        {
            switch (_pair.TryReap(out Completion completion))
            {
                case ReapResult.Broken:
                    return AcceleratorError.Protocol;
                case ReapResult.Empty:
                    return _pair.Device.IsGone ? AcceleratorError.DeviceGone : IsLate(answer) ? AcceleratorError.Deadline : null;
            }

            _left--;
            if (completion.Error != HpreError.None)
            {
                return AcceleratorError.DeviceError;
            }

            // Free slots have no result in them, be it one that everybody knows.
            Span<byte> output = _arena.Output(completion.Index, answer.ModulusBytes);
            bool isRight = output.SequenceEqual(answer.Answer(_numbers[completion.Index]));
            output.Clear();
            if (!isRight)
            {
                return AcceleratorError.WrongResult;
            }
        }

        return AcceleratorError.None;
    }

    private bool IsLate(KnownAnswer answer)
    {
        TimeSpan limit = QueuePoolOptions.Scale(_deadline, answer.ModulusBytes);
        return _time.GetElapsedTime(_begun) >= (limit > LeastLimit ? limit : LeastLimit);
    }
}
