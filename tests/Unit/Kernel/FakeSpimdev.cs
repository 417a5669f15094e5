using System.Buffers.Binary;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Uacce;
using WarpDrive.Abi.Vfio;
using WarpDrive.Emulator;
using WarpDrive.Emulator.Faults;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>A device of WarpDrive's first form: GET_Q gives queues, whose rings are the emulated accelerator's.</summary>
/// <param name="version">Of the doorbell.</param>
/// <param name="saysNumbers">Whether the rings' memory says number and version, as later kernels of the series have it.</param>
/// <param name="faults">What goes wrong.</param>
internal sealed class FakeSpimdev(int version, bool saysNumbers, FaultPlan? faults = null) : FakeDevice(faults)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<int, QueueFile> _open = [];     // by the number of the queue
    private int _queueCount;

    /// <summary>How many queues the hardware has.</summary>
    public int MaxQueues { get; set; } = 16;

    /// <summary>Whether a wait ends when a completion comes, not only when its time is over; the first kernels do not know.</summary>
    public bool NoticesCompletions { get; set; } = true;

    /// <summary>What stands in the doorbell's word of a queue.</summary>
    public ulong LastDoorbell(int queue, int offset) => _open[queue].Word(offset);

    public override FakeFile Open(FakeGroup group) => new DeviceFile(this, group);

    private sealed class DeviceFile(FakeSpimdev device, FakeGroup group) : FakeFile
    {
        public override int Control(uint request, Span<byte> argument) => throw Refused("ioctl", $"0x{request:x}", Errno.EINVAL);

        public override int ControlByValue(uint request, long argument)
        {
            device.ThrowIfGone("ioctl");
            if (request != Spimdev.GetQueue)
            {
                throw Refused("ioctl", $"0x{request:x}", Errno.EINVAL);
            }

            if (Interlocked.Increment(ref device._queueCount) > device.MaxQueues)
            {
                // The series says so whatever the reason.
                Interlocked.Decrement(ref device._queueCount);
                throw Refused("ioctl", "VFIO_SPIMDEV_CMD_GET_Q", Errno.ENODEV);
            }

            return group.Kernel.Install(new QueueFile(device));
        }

        public override MappedMemory Map(long offset, int length) => throw Refused("mmap", "mediated device", Errno.EINVAL);

        public override void Dispose() => group.Release();
    }

    /// <summary>
    /// A queue. The doorbell is a word of memory, where a doorbell can overwrite one that was not seen; so the hardware looks at it all the time, and in a wait, when the
    /// host writes nothing, also at the submissions themselves.
    /// </summary>
    private sealed class QueueFile : FakeFile
    {
        private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(10);

        private readonly FakeSpimdev _device;
        private readonly QueueManagerApi _api;
        private readonly VirtualQueue _queue;
        private readonly SharedMemory _doorbellPage = SharedMemory.Create("fake-doorbell", Environment.SystemPageSize, secret: false);
        private readonly MappedMemory _rings;
        private readonly EventFd _interrupt = new();
        private readonly Lock _gate = new();
        private readonly ManualResetEventSlim _isReleased = new();
        private readonly Thread _thread;
        private ulong _lastWord;
        private int _tail;
        private int _cursor;        // of the kernel, in the completion ring
        private int _phase = 1;

        public QueueFile(FakeSpimdev device)
        {
            _device = device;
            _api = new QueueManagerApi(device.Version);
            _queue = device.OpenQueue();
            _rings = _queue.MapRegion(EmulatedRegion.Dus);
            _queue.SetIrq(EmulatedRegion.CompletionIrq, _interrupt);
            WriteRegister(ControlRegister.Command, (uint)QueueCommand.Start);
            if (device.SaysNumbers)
            {
                _rings.At<uint>(Spimdev.QueueNumberOffset) = (uint)Number;
                _rings.At<uint>(Spimdev.VersionOffset) = (uint)device.Version;
            }

            device._open[_queue.Number] = this;
            _thread = new Thread(Look) { IsBackground = true, Name = "fake-spimdev" };
            _thread.Start();
        }

        private int Number => _device.SaysNumbers ? _queue.Number : 0;

        private int DoorbellOffset => _api.Version == 1 ? 0x340 : 0;

        public ulong Word(int offset) => Volatile.Read(ref _doorbellPage.Memory.At<ulong>(offset));

        public override MappedMemory Map(long offset, int length)
        {
            _device.ThrowIfGone("mmap");
            long region = offset / Environment.SystemPageSize & 0xf;
            return region switch
            {
                0 when length <= Environment.SystemPageSize => MappedMemory.MapShared(_doorbellPage.File, 0, length, writable: true, secret: false),
                1 when length <= Spimdev.RingsSizeInBytes => MappedMemory.MapShared(
                    _queue.GetRegionFile(EmulatedRegion.Dus)!, 0, length, writable: true, secret: false),
                _ => throw Refused("mmap", $"region {region}, {length} bytes", Errno.EINVAL),
            };
        }

        public override int Control(uint request, Span<byte> argument) => throw Refused("ioctl", $"0x{request:x}", Errno.EINVAL);

        public override int ControlByValue(uint request, long argument)
        {
            if (request != Spimdev.Wait)
            {
                throw Refused("ioctl", $"0x{request:x}", Errno.EINVAL);
            }

            _device.ThrowIfGone("VFIO_SPIMDEV_CMD_WAIT");
            int milliseconds = (int)(argument & 0xffff);
            Assert.NotEqual(0, milliseconds);
            lock (_gate)
            {
                TakeDoorbell();
                TakePosted();
            }

            if (!_device.NoticesCompletions)
            {
                Thread.Sleep(milliseconds);
                return 0;
            }

            if (IsUpdated())
            {
                return 1;
            }

            Poll.WaitReadable(_interrupt.File, null, TimeSpan.FromMilliseconds(milliseconds));
            _interrupt.TryConsume();
            return IsUpdated() ? 1 : 0;
        }

        public override void Dispose()
        {
            _isReleased.Set();
            _thread.Join();
            _device.CloseQueue(_queue);
            _rings.Dispose();
            _doorbellPage.Dispose();
            _interrupt.Dispose();
            _isReleased.Dispose();
            Interlocked.Decrement(ref _device._queueCount);
        }

        /// <summary>Moves the kernel's own cursor over what is new: it says so once of each completion.</summary>
        private bool IsUpdated()
        {
            bool isUpdated = false;
            while ((Volatile.Read(ref _rings.At<ushort>(DeviceUserShare.CompletionOffset(Spimdev.Depth, _cursor) + CompletionEntry.PhaseOffset)) & 1) == _phase)
            {
                isUpdated = true;
                _cursor = (_cursor + 1) % Spimdev.Depth;
                _phase ^= _cursor == 0 ? 1 : 0;
            }

            return isUpdated;
        }

        private void Look()
        {
            while (!_isReleased.Wait(LookInterval))
            {
                lock (_gate)
                {
                    TakeDoorbell();
                }
            }
        }

        private void TakeDoorbell()
        {
            ulong word = Volatile.Read(ref _doorbellPage.Memory.At<ulong>(DoorbellOffset));
            if (word == _lastWord)
            {
                return;
            }

            _lastWord = word;
            Doorbell doorbell = _api.Decode(word);
            if (doorbell.QueueNumber != Number || doorbell.Index >= Spimdev.Depth)
            {
                return;     // hardware ignores it
            }

            if (doorbell.Command == DoorbellCommand.Submission)
            {
                _tail = doorbell.Index;
            }

            Forward(doorbell.Command, doorbell.Index, doorbell.Interrupt);
        }

        private void TakePosted()
        {
            int tail = _tail;
            while (SubmissionControl.IsPosted(_rings.At<uint>(DeviceUserShare.SubmissionOffset(tail))))
            {
                tail = (tail + 1) % Spimdev.Depth;
            }

            if (tail != _tail)
            {
                _tail = tail;
                Forward(DoorbellCommand.Submission, (ushort)tail, interrupt: false);
            }
        }

        private void Forward(DoorbellCommand command, ushort index, bool interrupt)
        {
            Span<byte> word = stackalloc byte[Doorbell.SizeInBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(word, new Doorbell((uint)_queue.Number, command, index, interrupt).Encode());
            _queue.WriteRegion(EmulatedRegion.Mmio, Doorbell.Offset, word);
        }

        private void WriteRegister(ulong offset, uint value)
        {
            Span<byte> bytes = stackalloc byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            _queue.WriteRegion(EmulatedRegion.Control, offset, bytes);
        }
    }

    private int Version => version;

    private bool SaysNumbers => saysNumbers;
}
