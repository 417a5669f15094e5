using System.Buffers.Binary;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Emulator;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>A queue whose owner writes whatever comes to his mind, at any moment, wherever he can: entries, doorbells, flags, stop words, inputs.</summary>
internal sealed class HostileRings : IDisposable
{
    private static readonly int[] Depths = [2, 4, 16, 128, 1024];

    private readonly IVfioDevice _queue;
    private readonly RingHost _host;
    private readonly EventFd _doorbell;
    private readonly EventFd _interrupt = new();
    private readonly Random _random;

    public HostileRings(IVfioDevice queue, int seed)
    {
        _queue = queue;
        _random = new Random(seed);
        _host = new RingHost(queue, depth: Depths[_random.Next(Depths.Length)]);
        _doorbell = queue.GetRegionIoEventFd(3);
        queue.SetIrq(0, _interrupt);
    }

    /// <summary>All memory of its own that the device can write to.</summary>
    public IEnumerable<byte[]> Memory => [_host.Arena.Memory.GetSpan().ToArray(), _host.Dus.ToArray()];

    /// <summary>Does so many wrong things, and right ones between them.</summary>
    public void Scribble(int count)
    {
        for (int i = 0; i < count; i++)
        {
            switch (_random.Next(16))
            {
                case 0 or 1 or 2 or 3 or 4:
                    WriteEntry();
                    break;
                case 5 or 6:
                    Volatile.Write(ref _host.SubmissionTail, Index());
                    break;
                case 7:
                    Volatile.Write(ref _host.CompletionHead, Index());
                    break;
                case 8:
                    Volatile.Write(ref _host.HostAsleep, (uint)_random.Next(3));
                    break;
                case 9:
                    Volatile.Write(ref _host.DeviceAsleep, (uint)_random.Next(3));
                    break;
                case 10:
                    _random.NextBytes(_host.Slot(_random.Next(64))[..(1 << _random.Next(13))]);
                    break;
                case 11:
                    int at = _random.Next(_host.Dus.Length);
                    _random.NextBytes(_host.Dus.Slice(at, _random.Next(Math.Min(200, _host.Dus.Length - at))));
                    break;
                case 12 or 13:
                    _doorbell.Signal();
                    break;
                case 14:
                    DescriptorZoo.FillAndBlock(_random.Next(2) == 0 ? _interrupt : _doorbell);
                    break;
                default:
                    if (_random.Next(50) == 0)
                    {
                        Command();
                    }

                    break;
            }
        }
    }

    public void Dispose()
    {
        _host.Dispose();
        _doorbell.Dispose();
        _interrupt.Dispose();
    }

    /// <summary>An entry that is right for the most part.</summary>
    private void WriteEntry()
    {
        Span<byte> entry = stackalloc byte[64];
        entry.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(entry, _random.Next(8) == 0 ? (uint)_random.NextInt64(1L << 32) : 0x4000_0000 | (uint)_random.Next(2));
        entry[4] = _random.Next(8) == 0 ? (byte)_random.Next(256) : (byte)15;
        BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], Address());
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], Address());
        BinaryPrimitives.WriteUInt64LittleEndian(entry[24..], Address());
        entry.CopyTo(_host.Dus.Slice(64 * _random.Next(1024), 64));
    }

    private ulong Address() => _random.Next(10) switch
    {
        0 => (ulong)_random.NextInt64(),
        1 => RingHost.ArenaIova + RingHost.ArenaBytes - (ulong)_random.Next(600),
        2 => RingHost.ArenaIova - (ulong)_random.Next(600),
        3 => ulong.MaxValue - (ulong)_random.Next(600),
        _ => RingHost.ArenaIova + (ulong)_random.Next(RingHost.ArenaBytes),
    };

    private uint Index() => _random.Next(6) == 0 ? (uint)_random.NextInt64(1L << 32) : (uint)_random.Next(_host.Depth);

    private void Command()
    {
        try
        {
            switch (_random.Next(4))
            {
                case 0:
                    _host.WriteRegister(0x28, (uint)_random.Next(4));
                    break;
                case 1:
                    _queue.Reset();
                    _host.WriteRegister(0x1c, (uint)_host.Depth);
                    _host.WriteRegister(0x28, 1);
                    break;
                case 2:
                    _queue.UnmapDma(RingHost.ArenaIova, RingHost.ArenaBytes);
                    _queue.MapDma(_host.Arena.File, 0, RingHost.ArenaIova, RingHost.ArenaBytes, (DmaAccess)_random.Next(1, 4));
                    break;
                default:
                    _host.RingByMessage((ulong)_random.NextInt64());
                    break;
            }
        }
        catch (LinuxException refusal)
        {
            Assert.Contains(refusal.Error, new[] { Errno.EINVAL, Errno.EBUSY, Errno.ENOENT, Errno.EEXIST });
        }
    }
}
