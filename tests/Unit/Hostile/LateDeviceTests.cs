using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>Memory that an operation left to its device: zeroed when it comes back, and nobody else's when it does not.</summary>
[Collection(HostileDeviceTests.Name)]
public sealed class LateDeviceTests
{
    private const int ModulusBytes = 128;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void Output_of_an_abandoned_operation_is_zeroed_when_it_is_reaped()
    {
        using var mayAnswer = new EventFd();
        HostileSubmission late = default;
        HostileDevice? holder = null;
        using QueuePool pool = Open(stallLimit: TimeSpan.FromHours(1), new Misdeed
        {
            Answer = (device, submission) =>
            {
                (late, holder) = (submission, device);
                _ = Poll.WaitReadable(mayAnswer.File, null, Patience);
                device.AnswerWith(submission, [.. Enumerable.Range(1, ModulusBytes).Select(static i => (byte)i)]);
            },
        });
        using DeviceKey key = CreateKey(pool);
        byte[] output = new byte[ModulusBytes];
        Assert.Equal(AcceleratorError.Deadline, key.TryPrivate(new byte[ModulusBytes], output));
        Assert.Equal(1, pool.GetStatus().SlotsInUse);
        mayAnswer.Signal();
        HostilePool.WaitFor(() => pool.GetStatus().SlotsInUse == 0, "the slot is not reaped");
        HostilePool.WaitFor(() => !holder!.Host(late.OutputIova, ModulusBytes).ContainsAnyExcept((byte)0), "the output is not zeroed");
        Assert.Equal(new byte[ModulusBytes], output);
    }

    [Fact]
    public void What_a_closed_queues_device_still_writes_is_nobodys_memory()
    {
        var untouched = new List<bool>();
        byte[] input = [.. Enumerable.Repeat((byte)0x11, ModulusBytes)];
        using var hasWritten = new EventFd();
        using var mayEnd = new EventFd();
        using QueuePool pool = Open(stallLimit: TimeSpan.FromMilliseconds(1), new Misdeed
        {
            Answer = static (_, _) => { },
            Close = device =>
            {
                // It did not hear that the connection is over, and writes its result, and more, while the next queue is open.
                foreach (MappedMemory memory in device.HostMemory)
                {
                    memory.GetSpan().Fill(0xdb);
                }

                hasWritten.Signal();
                _ = Poll.WaitReadable(mayEnd.File, null, Patience);

                // What it wrote stands there, or zeros, if it wrote before the host had zeroed what was its own; but nothing of the next queue.
                bool isUntouched = device.HostMemory.All(static memory => !memory.GetSpan().ContainsAnyExcept((byte)0xdb, (byte)0));
                lock (untouched)
                {
                    untouched.Add(isUntouched);
                }
            },
        });
        using DeviceKey key = CreateKey(pool);
        byte[] output = new byte[ModulusBytes];
        Assert.Equal(AcceleratorError.Deadline, key.TryPrivate(input, output));
        Assert.Equal(1, Poll.WaitReadable(hasWritten.File, null, Patience));

        // Another queue is opened meanwhile, and used: neither is what it shares that memory, nor does it see the bytes.
        HostilePool.WaitFor(() => key.TryPrivate(input, output) == AcceleratorError.Deadline, "no queue is opened again");
        mayEnd.Signal();
        HostilePool.WaitFor(() => Locked(untouched).Length >= 1, "the device does not end");
        Assert.All(Locked(untouched), Assert.True);
        Assert.Equal(new byte[ModulusBytes], output);
    }

    private static bool[] Locked(List<bool> list)
    {
        lock (list)
        {
            return [.. list];
        }
    }

    private static QueuePool Open(TimeSpan stallLimit, Misdeed misdeed)
    {
        bool isArmed = false;
        var options = new QueuePoolOptions
        {
            QueuesPerDevice = 1,
            Depth = 4,
            Deadline = HostilePool.Deadline,
            RetryInterval = TimeSpan.FromMilliseconds(1),
            StallLimit = stallLimit,
            KnownAnswers = [],
        };
        var endpoint = new DeviceEndpoint("late:", () => new HostileDevice(misdeed, 1, () => Volatile.Read(ref isArmed)));
        var pool = new QueuePool(options, [endpoint], NullLogger.Instance, TimeProvider.System);
        HostilePool.WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready, "the device is not ready");
        Volatile.Write(ref isArmed, true);
        return pool;
    }

    private static DeviceKey CreateKey(QueuePool pool) =>
        pool.CreateKey([.. Enumerable.Repeat((byte)0x5a, RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, ModulusBytes))], ModulusBytes, static (_, _) => true);
}
