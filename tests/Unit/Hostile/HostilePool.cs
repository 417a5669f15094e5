using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;
using WarpProxy.Tests.Unit.OpenSsl;

namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>A pool on hostile devices, two real keys that use it, and their right answers.</summary>
internal sealed class HostilePool : IDisposable
{
    /// <summary>For misdeeds that end with it.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(10);

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const int AnswerCount = 16;
    private static readonly Lazy<Answers[]> Known = new(static () => [new Answers(), new Answers()]);

    private readonly ConcurrentQueue<HostileDevice> _devices = new();
    private readonly OperationCounters _counters = new();
    private readonly OffloadedRsaKey[] _keys;
    private int _seed;
    private volatile bool _isArmed;

    /// <summary>Opens the pool.</summary>
    /// <param name="make">What a new queue's device does.</param>
    /// <param name="seed">Of the first device; the next has one more.</param>
    /// <param name="deadline">Of operations.</param>
    /// <param name="quarantine">First and longest.</param>
    public HostilePool(Func<Misdeed> make, int seed, TimeSpan deadline, TimeSpan quarantine)
    {
        _seed = seed;
        var options = new QueuePoolOptions
        {
            QueuesPerDevice = 2,
            Depth = 4,
            Deadline = deadline,
            RetryInterval = TimeSpan.FromMilliseconds(1),
            StallLimit = 10 * Deadline,
            Breaker = new CircuitBreakerOptions { FirstBackOff = quarantine, MaxBackOff = quarantine },

            // A device that is hostile from the start would be kept out by its probe, which has tests of its own.
            KnownAnswers = [],
        };
        var endpoint = new DeviceEndpoint("hostile:", () =>
        {
            var device = new HostileDevice(make(), Interlocked.Increment(ref _seed) - 1, () => _isArmed);
            _devices.Enqueue(device);
            return device;
        });
        Pool = new QueuePool(options, [endpoint], NullLogger.Instance, TimeProvider.System);
        Arm();
        _keys = [.. Known.Value.Select(answers => new OffloadedRsaKey(TestKeys.Software(answers.Rsa), Pool, _counters))];
    }

    public QueuePool Pool { get; }

    /// <summary>Every queue that was ever opened.</summary>
    public IReadOnlyCollection<HostileDevice> Devices => _devices;

    public OperationCounts Counts => _counters.Snapshot();

    /// <summary>Runs operations with both keys on several threads; every answer must be right.</summary>
    public void Run(int threadCount, int operationCount)
    {
        var failures = new ConcurrentQueue<string>();
        Thread[] threads = [.. Enumerable.Range(0, threadCount).Select(number => new Thread(() =>
        {
            byte[] output = new byte[128];
            try
            {
                for (int i = 0; i < operationCount; i++)
                {
                    int key = (number + i) % 2;
                    (byte[] input, byte[] right) = Known.Value[key].Pairs[((7 * number) + i) % AnswerCount];
                    output.AsSpan().Fill(0xa5);
                    if (i % 3 == 0)
                    {
                        _keys[key].Decrypt(input, output);
                    }
                    else
                    {
                        _keys[key].Private(input, output);
                    }

                    if (!output.AsSpan().SequenceEqual(right))
                    {
                        failures.Enqueue($"thread {number}, operation {i}: {Convert.ToHexString(output)}");
                    }
                }
            }
            catch (Exception e)
            {
                failures.Enqueue(e.ToString());
            }
        }) { IsBackground = true })];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => Assert.True(thread.Join(Patience), "an operation does not end"));
        Assert.Empty(failures);
    }

    /// <summary>Ends everything, and finds what is left of it.</summary>
    public void Close()
    {
        Assert.Equal(0, Pool.GetStatus().OperationsInFlight);
        Array.ForEach(_keys, static key => key.Dispose());
        WaitFor(() => Pool.KeyCount == 0, "a key is held");
        WaitFor(() => Pool.GetStatus().SlotsInUse == 0, "a slot is held");

        // The pool waits for its supervisors, but not longer than its short deadlines let it.
        Task[] ended = [.. Pool.Supervisors.Select(static supervisor => supervisor.Ended)];
        Pool.Dispose();
        Assert.True(Task.WaitAll(ended, Patience), "a supervisor does not end");
        foreach (HostileDevice device in _devices)
        {
            device.Join(Patience);
            Assert.Empty(device.Leaks());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_keys, static key => key.Dispose());
        Pool.Dispose();
    }

    public static void WaitFor(Func<bool> condition, string what) => Assert.True(SpinWait.SpinUntil(condition, Patience), what);

    /// <summary>A device that is hostile from the start is never taken into use: it may pass for a good one first.</summary>
    private void Arm()
    {
        WaitFor(() => Pool.GetStatus().Devices[0].State == DeviceState.Ready, "the device is not ready");
        _isArmed = true;
    }

    private sealed class Answers
    {
        public Answers()
        {
            using SoftwareRsaKey software = TestKeys.Software(Rsa);
            var random = new Random(1024);
            Pairs = [.. Enumerable.Range(0, AnswerCount).Select(_ =>
            {
                byte[] input = new byte[128];
                random.NextBytes(input);
                input[0] = 0;
                byte[] output = new byte[128];
                software.Private(input, output);
                return (input, output);
            })];
        }

        public RSA Rsa { get; } = RSA.Create(1024);

        public (byte[] Input, byte[] Output)[] Pairs { get; }
    }
}
