using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

public sealed class RegionMessageTests : IDisposable
{
    private const ushort GetInfo = 4;
    private const ushort GetRegionInfo = 5;
    private const ushort GetRegionIoFds = 6;
    private const ushort RegionRead = 9;
    private const ushort RegionWrite = 10;
    private const ushort Reset = 13;

    private readonly ServedDevice _device = new();
    private readonly RawClient _client;

    public RegionMessageTests() => _client = _device.Open();

    public void Dispose()
    {
        _client.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void Device_has_four_regions_and_one_interrupt_index_and_can_be_reset()
    {
        using RawReply reply = _client.Call(GetInfo, RawClient.Bytes(16u, 0u, 0u, 0u));
        Assert.Equal(RawClient.Bytes(16u, 1u, 4u, 1u), reply.Payload);
    }

    [Theory]
    [InlineData(15u, 16)]
    [InlineData(16u, 15)]
    [InlineData(16u, 0)]
    public void Device_info_with_too_little_room_is_refused(uint argsz, int payload)
    {
        byte[] bytes = RawClient.Bytes(argsz, 0u, 0u, 0u);
        Assert.Equal(Errno.EINVAL, _client.Error(GetInfo, bytes[..payload]));
    }

    [Theory]
    [InlineData(0u, 0x2000ul)]
    [InlineData(2u, 0x1000ul)]
    public void Regions_by_message_have_no_descriptor(uint region, ulong size)
    {
        using RawReply reply = _client.Call(GetRegionInfo, RawClient.RegionInfo(128, region));
        Assert.Equal(RawClient.Bytes(32u, 3u, region, 0u, size, 0ul), reply.Payload);
        Assert.Empty(reply.Descriptors);
    }

    [Theory]
    [InlineData(1u, 86016ul)]
    [InlineData(3u, 0x1000ul)]
    public void Mapped_regions_come_with_one_area_and_a_sealed_file(uint region, ulong size)
    {
        using RawReply reply = _client.Call(GetRegionInfo, RawClient.RegionInfo(64, region));
        byte[] expected =
        [
            .. RawClient.Bytes(64u, 15u, region, 32u, size, 0ul),
            .. RawClient.Bytes((ushort)1, (ushort)1, 0u, 1u, 0u, 0ul, size),
        ];
        Assert.Equal(expected, reply.Payload);
        FileDescriptor file = Assert.Single(reply.Descriptors);
        Assert.Equal((long)size, file.GetSizeBytes());
        Assert.True(SharedMemory.IsSealedAgainstShrinking(file));
    }

    [Theory]
    [InlineData(32u)]
    [InlineData(63u)]
    public void Too_little_room_for_the_capability_gets_the_needed_argsz_and_no_descriptor(uint argsz)
    {
        using RawReply reply = _client.Call(GetRegionInfo, RawClient.RegionInfo(argsz, 1));
        Assert.Equal(RawClient.Bytes(64u, 15u, 1u, 32u, 86016ul, 0ul), reply.Payload);
        Assert.Empty(reply.Descriptors);
    }

    [Theory]
    [InlineData(31u, 1u, 32)]
    [InlineData(64u, 4u, 32)]
    [InlineData(64u, uint.MaxValue, 32)]
    [InlineData(64u, 1u, 31)]
    public void Region_info_of_wrong_size_or_region_is_refused(uint argsz, uint region, int payload) =>
        Assert.Equal(Errno.EINVAL, _client.Error(GetRegionInfo, RawClient.RegionInfo(argsz, region)[..payload]));

    [Fact]
    public void Doorbell_region_has_an_ioeventfd()
    {
        using RawReply reply = _client.Call(GetRegionIoFds, RawClient.Bytes(56u, 0u, 3u, 0u));
        byte[] expected = [.. RawClient.Bytes(56u, 0u, 3u, 1u), .. RawClient.Bytes(0ul, 4ul, 0u, 0u, 0u, 0u, 0ul)];
        Assert.Equal(expected, reply.Payload);
        Assert.Equal("anon_inode:[eventfd]", Assert.Single(reply.Descriptors).GetTarget());
    }

    [Fact]
    public void Too_little_room_for_the_ioeventfd_gets_the_needed_argsz_and_no_descriptor()
    {
        using RawReply reply = _client.Call(GetRegionIoFds, RawClient.Bytes(55u, 0u, 3u, 0u));
        Assert.Equal(RawClient.Bytes(56u, 0u, 3u, 1u), reply.Payload);
        Assert.Empty(reply.Descriptors);
    }

    [Theory]
    [InlineData(15u, 0u, 3u)]
    [InlineData(56u, 1u, 3u)]
    [InlineData(56u, 0u, 4u)]
    public void Io_descriptors_of_wrong_size_flags_or_region_are_refused(uint argsz, uint flags, uint region) =>
        Assert.Equal(Errno.EINVAL, _client.Error(GetRegionIoFds, RawClient.Bytes(argsz, flags, region, 0u)));

    [Theory, InlineData(0u), InlineData(1u), InlineData(2u)]
    public void Other_regions_have_no_ioeventfd(uint region)
    {
        using RawReply reply = _client.Call(GetRegionIoFds, RawClient.Bytes(56u, 0u, region, 0u));
        Assert.Equal(RawClient.Bytes(16u, 0u, region, 0u), reply.Payload);
        Assert.Empty(reply.Descriptors);
    }

    [Fact]
    public void Registers_are_read_and_written_by_message()
    {
        using RawReply read = _client.Call(RegionRead, RawClient.Access(2, 0, 4));
        Assert.Equal([.. RawClient.Access(2, 0, 4), .. "WRPD"u8], read.Payload);
        using RawReply written = _client.Call(RegionWrite, [.. RawClient.Access(2, 0x1c, 4), .. RawClient.Bytes(16u)]);
        Assert.Equal(RawClient.Access(2, 0x1c, 4), written.Payload);
        Assert.Equal(16u, _client.ReadRegister(0x1c));
    }

    [Fact]
    public void The_devices_error_numbers_reach_the_client()
    {
        Assert.Equal(0, _client.Error(RegionWrite, [.. RawClient.Access(2, 0x28, 4), .. RawClient.Bytes(1u)]));
        Assert.Equal(Errno.EBUSY, _client.Error(RegionWrite, [.. RawClient.Access(2, 0x1c, 4), .. RawClient.Bytes(16u)]));
    }

    [Theory]
    [InlineData(4u, 0ul, 4u)]
    [InlineData(2u, 0x1000ul, 4u)]
    [InlineData(2u, ulong.MaxValue, 4u)]
    [InlineData(2u, 0ul, 3u)]
    [InlineData(1u, 0ul, 65537u)]
    [InlineData(1u, 0ul, uint.MaxValue)]
    [InlineData(1u, 20481ul, 65536u)]
    public void Reads_outside_a_region_or_over_the_limit_are_refused(uint region, ulong offset, uint count) =>
        Assert.Equal(Errno.EINVAL, _client.Error(RegionRead, RawClient.Access(region, offset, count)));

    [Theory]
    [InlineData(4u, 3)]
    [InlineData(4u, 5)]
    [InlineData(4u, 0)]
    [InlineData(uint.MaxValue, 4)]
    public void Writes_whose_count_is_not_the_data_are_refused(uint count, int data) =>
        Assert.Equal(Errno.EINVAL, _client.Error(RegionWrite, [.. RawClient.Access(1, 0, count), .. new byte[data]]));

    [Fact]
    public void The_longest_read_is_answered_and_the_longest_write_arrives()
    {
        byte[] data = new byte[65536];
        new Random(1).NextBytes(data);
        Assert.Equal(0, _client.Error(RegionWrite, [.. RawClient.Access(1, 64, 65536), .. data]));
        using RawReply reply = _client.Call(RegionRead, RawClient.Access(1, 64, 65536));
        Assert.Equal(data, reply.Payload[16..]);
    }

    [Fact]
    public void Reset_restores_the_registers()
    {
        Assert.Equal(0, _client.Error(RegionWrite, [.. RawClient.Access(2, 0x1c, 4), .. RawClient.Bytes(16u)]));
        Assert.Equal(0, _client.Error(Reset, []));
        Assert.Equal(1024u, _client.ReadRegister(0x1c));
        Assert.Equal(Errno.EINVAL, _client.Error(Reset, [0]));
    }
}
