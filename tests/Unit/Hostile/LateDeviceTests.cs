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
        var written = new List<HostileDevice>();
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
                Assert.All(device.HostMemory, static memory => Assert.Equal(-1, memory.GetSpan().IndexOfAnyExcept((byte)0xdb)));
                lock (written)
                {
                    written.Add(device);
                }
            },
        });
        using DeviceKey key = CreateKey(pool);
        byte[] output = new byte[ModulusBytes];
        Assert.Equal(AcceleratorError.Deadline, key.TryPrivate(new byte[ModulusBytes], output));
        Assert.Equal(1, Poll.WaitReadable(hasWritten.File, null, Patience));

        // Another queue is opened meanwhile, and used: neither is what it shares that memory, nor does it see the bytes.
        HostilePool.WaitFor(() => key.TryPrivate(new byte[ModulusBytes], output) == AcceleratorError.Deadline, "no queue is opened again");
        mayEnd.Signal();
        HostilePool.WaitFor(() => Locked(written) >= 1, "the device found its memory changed");
        Assert.Equal(new byte[ModulusBytes], output);
    }

    private static int Locked(List<HostileDevice> list)
    {
        lock (list)
        {
            return list.Count;
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
        pool.CreateKey(new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, ModulusBytes)], ModulusBytes, static (_, _) => true);
}
