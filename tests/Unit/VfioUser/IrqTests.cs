using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

public sealed class IrqTests : IDisposable
{
    private const ushort GetIrqInfo = 7;
    private const ushort SetIrqs = 8;

    private readonly ServedDevice _device = new();
    private readonly RawClient _client;
    private readonly EventFd _event = new();

    public IrqTests() => _client = _device.Open();

    public void Dispose()
    {
        _client.Dispose();
        _device.Dispose();
        _event.Dispose();
    }

    [Fact]
    public void Index_0_has_one_interrupt()
    {
        using RawReply reply = _client.Call(GetIrqInfo, RawClient.Bytes(16u, 0u, 0u, 0u));
        Assert.Equal(RawClient.Bytes(16u, 1u, 0u, 1u), reply.Payload);
    }

    [Theory]
    [InlineData(15u, 0u)]
    [InlineData(16u, 1u)]
    public void Irq_info_of_wrong_size_or_index_is_refused(uint argsz, uint index) =>
        Assert.Equal(Errno.EINVAL, _client.Error(GetIrqInfo, RawClient.Bytes(argsz, 0u, index, 0u)));

    [Fact]
    public void An_eventfd_is_given_and_taken_away_in_both_ways()
    {
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x24, 1), _event.File));
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x24, 1)));
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x24, 1), _event.File));
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x21, 0)));
    }

    [Theory]
    [InlineData(0u, 1u, 0u, 0u, 20u)]
    [InlineData(4u, 1u, 0u, 0u, 20u)]
    [InlineData(0x22u, 1u, 0u, 0u, 20u)]
    [InlineData(0x2cu, 1u, 0u, 0u, 20u)]
    [InlineData(0x24u, 0u, 0u, 0u, 20u)]
    [InlineData(0x24u, 2u, 0u, 0u, 20u)]
    [InlineData(0x24u, 1u, 1u, 0u, 20u)]
    [InlineData(0x24u, 1u, 0u, 1u, 20u)]
    [InlineData(0x24u, 1u, 0u, 0u, 19u)]
    [InlineData(0x21u, 0u, 0u, 0u, 20u)]
    public void An_eventfd_with_other_flags_count_index_start_or_size_is_refused(uint flags, uint count, uint index, uint start, uint argsz) =>
        Assert.Equal(Errno.EINVAL, _client.Error(SetIrqs, RawClient.SetIrqs(flags, count, index, start, argsz), _event.File));

    [Fact]
    public void A_descriptor_that_is_no_eventfd_is_refused()
    {
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        Assert.Equal(Errno.EINVAL, _client.Error(SetIrqs, RawClient.SetIrqs(0x24, 1), memory.File));
    }

    [Fact]
    public void An_interrupt_is_fired_by_message_and_by_a_byte_that_is_not_zero()
    {
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x24, 1), _event.File));
        Assert.False(_event.TryConsume());
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x21, 1)));
        Assert.True(_event.TryConsume());
        Assert.Equal(0, _client.Error(SetIrqs, [.. RawClient.SetIrqs(0x22, 1, argsz: 21), 0]));
        Assert.False(_event.TryConsume());
        Assert.Equal(0, _client.Error(SetIrqs, [.. RawClient.SetIrqs(0x22, 1, argsz: 21), 1]));
        Assert.True(_event.TryConsume());

        // Taken away: nobody hears it, and nothing is wrong with that.
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x21, 0)));
        Assert.Equal(0, _client.Error(SetIrqs, RawClient.SetIrqs(0x21, 1)));
        Assert.False(_event.TryConsume());
    }

    [Theory]
    [InlineData(0x21u, 2u, 0u, 0u, 0)]
    [InlineData(0x21u, 1u, 1u, 0u, 0)]
    [InlineData(0x21u, 1u, 0u, 1u, 0)]
    [InlineData(0x21u, 1u, 0u, 0u, 1)]
    [InlineData(0x22u, 1u, 0u, 0u, 0)]
    [InlineData(0x22u, 1u, 0u, 0u, 2)]
    [InlineData(0x22u, 2u, 0u, 0u, 2)]
    [InlineData(0x22u, 0u, 0u, 0u, 0)]
    [InlineData(0x23u, 1u, 0u, 0u, 0)]
    [InlineData(0x09u, 1u, 0u, 0u, 0)] // mask
    [InlineData(0x11u, 1u, 0u, 0u, 0)] // unmask
    public void Firing_with_other_values_is_refused(uint flags, uint count, uint index, uint start, int data) =>
        Assert.Equal(Errno.EINVAL, _client.Error(SetIrqs, [.. RawClient.SetIrqs(flags, count, index, start), .. new byte[data]]));
}
