using WarpDrive.Abi.Vfio;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>What a client may do wrong in a submission, or an engine in computing it, and the error that each gets; stepped.</summary>
public sealed class OperationErrorTests
{
    [Theory]
    [InlineData(0x4000_0004u, 15)] // Diffie-Hellman
    [InlineData(0x4000_0002u, 23)] // a key of 1536 bits
    [InlineData(0x4000_001fu, 15)]
    [InlineData(0x4000_0000u, 0)]
    [InlineData(0x4000_0000u, 14)]
    [InlineData(0x4000_0001u, 23)] // 1536 bits
    [InlineData(0x4000_0001u, 255)]
    [InlineData(0x0000_0000u, 15)] // done 0
    [InlineData(0x8000_0000u, 15)]
    [InlineData(0xc000_0000u, 15)]
    public void Unknown_algorithm_size_or_done_value_ends_with_error_1(uint control, byte taskLength)
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open();
        host.WriteEntry(control, taskLength, RingHost.ArenaIova, RingHost.ArenaIova, RingHost.SlotIova(1));
        host.Ring();
        Assert.True(device.Step());
        Assert.Equal(0, host.Reap());
        Assert.Equal(1u, host.Error(0));
        Assert.Equal(control & 0x1f, host.Control(0) & 0x1f);
        Assert.Equal(0, device.Accelerator.OperationsCompleted);
    }

    [Theory]
    [InlineData(RingHost.ArenaBytes - 256, 0, 0, 0u)]
    [InlineData(RingHost.ArenaBytes - 255, 0, 0, 2u)]
    [InlineData(0, RingHost.ArenaBytes - 128, 0, 0u)]
    [InlineData(0, RingHost.ArenaBytes - 127, 0, 2u)]
    [InlineData(0, 0, RingHost.ArenaBytes - 128, 0u)]
    [InlineData(0, 0, RingHost.ArenaBytes - 127, 2u)]
    [InlineData(-1, 0, 0, 2u)]
    [InlineData(0, -1, 0, 2u)]
    [InlineData(0, 0, -1, 2u)]
    [InlineData(-(long)RingHost.ArenaIova - 1, 0, 0, 2u)] // the last address: wraps round
    [InlineData(0, -(long)RingHost.ArenaIova - 64, 0, 2u)]
    [InlineData(0, 0, -(long)RingHost.ArenaIova - 127, 2u)]
    public void Range_with_one_byte_outside_ends_with_error_2(long key, long input, long output, uint error)
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open();
        host.WriteEntry(0x4000_0000, 15, At(key), At(input), At(output));
        host.Ring();
        Assert.True(device.Step());
        Assert.Equal(error, host.Error(host.Reap()));

        static ulong At(long offset) => unchecked(RingHost.ArenaIova + (ulong)offset);
    }

    [Theory]
    [InlineData(0x4000_0002u, 256)]
    [InlineData(0x4000_0003u, 448)]
    public void Made_key_with_one_byte_outside_ends_with_error_2_and_the_address_of_an_input_says_nothing(uint control, int bytes)
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open();
        ulong end = RingHost.ArenaIova + RingHost.ArenaBytes;
        host.WriteEntry(control, 15, RingHost.ArenaIova, 0, end - (ulong)bytes);
        host.WriteEntry(control, 15, RingHost.ArenaIova, ulong.MaxValue, end - (ulong)bytes);
        host.WriteEntry(control, 15, RingHost.ArenaIova, 0, end - (ulong)bytes + 1);
        host.WriteEntry(control, 15, end - 255, 0, RingHost.ArenaIova);
        host.Ring();
        device.StepAll();
        Assert.Equal([0u, 0u, 2u, 2u], Enumerable.Range(0, 4).Select(_ => host.Error(host.Reap())));
    }

    [Theory]
    [InlineData(DmaAccess.Read, DmaAccess.Write, 0u)]
    [InlineData(DmaAccess.Read, DmaAccess.Read, 2u)]
    [InlineData(DmaAccess.Write, DmaAccess.Write, 2u)]
    public void Mapping_without_the_access_ends_with_error_2(DmaAccess source, DmaAccess target, uint error)
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(mapArena: false);
        host.Queue.MapDma(host.Arena.File, 0, RingHost.SlotIova(0), 4096, source);
        host.Queue.MapDma(host.Arena.File, 4096, RingHost.SlotIova(1), 4096, target);
        host.WriteEntry(0x4000_0000, 15, RingHost.SlotIova(0), RingHost.SlotIova(0), RingHost.SlotIova(1));
        host.WriteEntry(0x4000_0000, 15, RingHost.SlotIova(0), RingHost.SlotIova(0), RingHost.SlotIova(1) - 1);
        host.Ring();
        device.StepAll();
        Assert.Equal(error, host.Error(host.Reap()));
        Assert.Equal(2u, host.Error(host.Reap()));
    }

    [Theory]
    [InlineData(RsaStatus.Unsupported, 1u)]
    [InlineData(RsaStatus.BadKey, 3u)]
    [InlineData(RsaStatus.BadInput, 4u)]
    [InlineData(RsaStatus.Failed, 5u)]
    [InlineData(RsaStatus.None, 5u)]
    public void Failure_of_the_engine_becomes_its_error_and_writes_no_output(RsaStatus status, uint error)
    {
        using var device = new SteppedDevice(execute: batch =>
        {
            batch.Output(0).Fill(0xee);
            batch[0].Status = status;
        });
        RingHost host = device.Open();
        host.Post(0);
        device.Step();
        Assert.Equal(error, host.Error(host.Reap()));
        Assert.Equal(0, host.Output(0)[0]);
        Assert.Equal(1, device.Accelerator.OperationErrors);
    }

    [Fact]
    public void Engine_that_throws_ends_its_operations_with_error_5_and_is_asked_again()
    {
        using var device = new SteppedDevice(lanes: 2, execute: batch =>
        {
            batch[0].Status = RsaStatus.Done;
            throw new InvalidOperationException("broken");
        });
        RingHost host = device.Open();
        host.Post(0, count: 3);
        device.StepAll();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(5u, host.Error(host.Reap()));
        }
    }
}
