using System.Numerics;
using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Emulator;
using WarpProxy.Tests.Unit.Engines;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>The driver's client against the device's server.</summary>
public sealed class VfioUserClientTests : IDisposable
{
    private readonly ServedDevice _device = new();

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Whole_life_of_a_queue_computes_what_BigInteger_computes()
    {
        using var device = new ServedDevice(new EmulatorOptions(), () => new ScalarEngine());
        using VfioUserClient client = device.OpenClient();
        using var host = new RingHost(client, depth: 4);
        using EventFd doorbell = client.GetRegionIoEventFd(3);
        EngineKey key = EngineKeys.OfBytes(256);
        var random = new Random(20250101);

        // Ten trips of one: the rings wrap twice and more.
        for (int i = 0; i < 10; i++)
        {
            BigInteger input = EngineKey.Below(key.N, key.ModulusBytes, random);
            Span<byte> slot = host.Slot(0);
            int half = key.ModulusBytes / 2;
            EngineKey.Write(key.Dq, slot[..half]);
            EngineKey.Write(key.Dp, slot.Slice(half, half));
            EngineKey.Write(key.Q, slot.Slice(2 * half, half));
            EngineKey.Write(key.P, slot.Slice(3 * half, half));
            EngineKey.Write(key.Qinv, slot.Slice(4 * half, half));
            EngineKey.Write(input, slot.Slice(RingHost.InputAt, key.ModulusBytes));
            ulong iova = RingHost.SlotIova(0);
            host.WriteEntry(0x4000_0001, 31, iova, iova + RingHost.InputAt, iova + RingHost.OutputAt, tag: (ulong)i);
            _ = host.RingAndWake(doorbell);
            int index = host.WaitAndReap();
            Assert.Equal(i % 4, index);
            Assert.Equal(0u, host.Error(index));
            Assert.Equal(BigInteger.ModPow(input, key.D, key.N), EngineKey.Number(host.Output(0, key.ModulusBytes)));
        }
    }

    [Fact]
    public void Doorbells_by_message_need_no_ioeventfd()
    {
        using VfioUserClient client = _device.OpenClient();
        using var host = new RingHost(client, depth: 4);
        new Random(3).NextBytes(host.Slot(0).Slice(RingHost.InputAt, 128));
        host.Slot(0)[RingHost.InputAt] = 0;
        host.Slot(0).Slice(128, 128).Fill(0xff);
        host.Write(0);
        host.RingByMessage(host.ReadRegister(0x24) | (1ul << 32));
        int index = host.WaitAndReap();
        Assert.Equal(0u, host.Error(index));
        Assert.Equal(host.Slot(0).Slice(RingHost.InputAt, 128).ToArray(), host.Output(0).ToArray());
    }

    [Fact]
    public void Information_is_the_devices()
    {
        using VfioUserClient client = _device.OpenClient();
        using IVfioDevice queue = _device.Accelerator.OpenQueue();
        Assert.Equal(queue.GetInfo(), client.GetInfo());
        Assert.Equal(queue.GetIrqInfo(0), client.GetIrqInfo(0));
        for (uint region = 0; region < 4; region++)
        {
            Assert.Equal(queue.GetRegionInfo(region), client.GetRegionInfo(region));
        }
    }

    [Fact]
    public void The_interrupt_reaches_the_clients_eventfd()
    {
        using VfioUserClient client = _device.OpenClient();
        using var host = new RingHost(client, depth: 4);
        using EventFd doorbell = client.GetRegionIoEventFd(3);
        using var interrupt = new EventFd();
        client.SetIrq(0, interrupt);
        Volatile.Write(ref host.HostAsleep, 1);
        host.Write(0);
        _ = host.RingAndWake(doorbell);
        Assert.Equal(1, Poll.WaitReadable(interrupt.File, null, ServedDevice.Timeout));
        Assert.True(host.Reap() >= 0);
        client.SetIrq(0, null);
    }

    [Fact]
    public void Refusals_carry_the_devices_error_number_and_the_connection_stays()
    {
        using VfioUserClient client = _device.OpenClient();
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        client.MapDma(memory.File, 0, 0x1000, 4096, DmaAccess.ReadWrite);
        LinuxException overlap = Assert.Throws<LinuxException>(() => client.MapDma(memory.File, 0, 0x1000, 4096, DmaAccess.Read));
        Assert.Equal(Errno.EEXIST, overlap.Error);
        Assert.StartsWith($"vfio-user DMA_MAP({_device.Path}, 4096 bytes at IOVA 0x1000) failed: ", overlap.Message, StringComparison.Ordinal);
        client.UnmapDma(0x1000, 4096);
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => client.UnmapDma(0x1000, 4096)).Error);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => client.GetRegionInfo(4)).Error);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => client.MapRegion(0)).Error);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => client.GetRegionIoEventFd(1)).Error);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => client.SetIrq(1, null)).Error);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => client.ReadRegion(1, 0, new byte[65537])).Error);
        client.Reset();
        Assert.False(client.IsGone);
    }

    [Fact]
    public void A_server_that_closes_is_seen()
    {
        using VfioUserClient client = _device.OpenClient();
        Assert.False(client.IsGone);
        Assert.Equal(0, Poll.WaitReadable(client.GoneSignal!, null, TimeSpan.Zero));
        _device.Server.Dispose();
        Assert.Equal(1, Poll.WaitReadable(client.GoneSignal!, null, ServedDevice.Timeout));
        Assert.True(client.IsGone);
        Assert.Equal(Errno.ENODEV, Assert.Throws<LinuxException>(() => client.GetInfo()).Error);
    }

    [Fact]
    public void A_call_that_meets_the_end_says_so()
    {
        using VfioUserClient client = _device.OpenClient();
        _device.Server.Dispose();
        Assert.Contains(Assert.Throws<LinuxException>(() => client.GetInfo()).Error, new[] { Errno.EPIPE, Errno.ECONNRESET });
        Assert.True(client.IsGone);
    }

    [Fact]
    public void Disposing_frees_the_queue()
    {
        VfioUserClient client = _device.OpenClient();
        client.Dispose();
        Assert.True(client.IsGone);
        _device.AwaitQueues(0);
    }

    [Fact]
    public void A_full_device_refuses_with_ENOSPC()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxQueues = 1 });
        using VfioUserClient first = device.OpenClient();
        Assert.Equal(Errno.ENOSPC, Assert.Throws<LinuxException>(device.OpenClient).Error);
    }

    [Fact]
    public void A_missing_socket_is_ENOENT() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => VfioUserClient.Connect(_device.Path + ".none", ServedDevice.Timeout)).Error);
}
