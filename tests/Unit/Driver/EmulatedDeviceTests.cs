using System.Text;
using WarpDrive.Abi.Device;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>What a device says of itself, and what it is asked while it works.</summary>
public sealed class EmulatedDeviceTests
{
    [Theory]
    [InlineData(ControlRegister.EngineCount, 0u, "it has 0 engines; allowed are 1 to 65536")]
    [InlineData(ControlRegister.EngineCount, uint.MaxValue, "it has 4294967295 engines; allowed are 1 to 65536")]
    [InlineData(ControlRegister.EngineLanes, 0u, "it has 0 engine lanes; allowed are 1 to 65536")]
    [InlineData(ControlRegister.EngineLanes, 65537u, "it has 65537 engine lanes; allowed are 1 to 65536")]
    [InlineData(ControlRegister.QueueNumber, 1024u, "its queue number is 1024; allowed are 0 to 1023")]
    [InlineData(ControlRegister.QueueNumber, uint.MaxValue, "its queue number is 4294967295; allowed are 0 to 1023")]
    [InlineData(ControlRegister.MaxDepth, 0u, "The queue depth is 4; it must be a power of two between 2 and 0.")]
    [InlineData(ControlRegister.MaxDepth, 3u, "The queue depth is 4; it must be a power of two between 2 and 3.")]
    [InlineData(ControlRegister.Capabilities, 0u, "are needed")]
    [InlineData(ControlRegister.Magic, 0u, "identifies as 0x00000000")]
    [InlineData(ControlRegister.Version, 2u, "version 2; ")]
    public void Absurd_number_is_refused_with_the_number(ulong register, uint value, string sentence)
    {
        var hand = new HandDevice();
        hand.SetRegister(register, value);
        AcceleratorException refusal = Assert.Throws<AcceleratorException>(() => EmulatedDevice.Open(hand, 4));
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
        Assert.True(hand.IsDisposed);
    }

    [Fact]
    public void Depth_beyond_the_region_is_never_used_whatever_the_device_allows()
    {
        var hand = new HandDevice();
        hand.SetRegister(ControlRegister.MaxDepth, uint.MaxValue);
        Assert.Throws<AcceleratorException>(() => EmulatedDevice.Open(hand, 2048));
        using EmulatedDevice device = EmulatedDevice.Open(new HandDevice(), 1024);
        Assert.Equal(1024, device.Depth);
    }

    [Theory]
    [InlineData("fast\u001b[2J\r\n\u0085\u202e\u2028\u200dengine\ufeff", "fast[2Jengine")]
    [InlineData("", "")]
    [InlineData("\u0001\u0002\u0003", "")]
    [InlineData("größer 8×", "größer 8×")]
    public void Engine_name_keeps_only_what_can_be_printed(string said, string kept)
    {
        var hand = new HandDevice();
        hand.SetEngineName([.. Encoding.UTF8.GetBytes(said), 0]);
        using EmulatedDevice device = EmulatedDevice.Open(hand, 4);
        Assert.Equal(kept, device.EngineName);
    }

    [Fact]
    public void Engine_name_without_an_end_and_without_sense_is_cut_at_its_field()
    {
        var hand = new HandDevice();
        hand.SetEngineName([.. Enumerable.Repeat((byte)0xff, ControlRegister.EngineNameSizeInBytes)]);
        using EmulatedDevice device = EmulatedDevice.Open(hand, 4);
        Assert.InRange(device.EngineName.Length, 0, ControlRegister.EngineNameSizeInBytes);
    }

    [Fact]
    public void Device_without_any_key_size_takes_none()
    {
        var hand = new HandDevice();
        hand.SetRegister(ControlRegister.KeySizes, 0);
        using EmulatedDevice device = EmulatedDevice.Open(hand, 4);
        Assert.All(new[] { 0, 64, 128, 256, 384, 512, 1024 }, size => Assert.False(device.TakesModulus(size)));
    }

    /// <summary>An operation that brings a key may not wait for the device's answer: it has a deadline.</summary>
    [Fact]
    public void Arena_asks_the_device_nothing_after_it_was_opened()
    {
        var hand = new HandDevice();
        using EmulatedDevice device = EmulatedDevice.Open(hand, 4);
        using var arena = new DmaArena(device);
        int maps = hand.MapCount;
        byte[] block = [.. Enumerable.Range(1, 640).Select(static i => (byte)i)];
        int count = 0;
        KeyPlace last = default;
        while (arena.TryWriteKey(block, out KeyPlace place))
        {
            Assert.True(hand.Memory(place.Iova, block.Length).SequenceEqual(block), $"key {count}");
            last = place;
            count++;
        }

        Assert.InRange(count, 400, 500);
        Assert.Equal(maps, hand.MapCount);
        arena.EraseKey(last);
        Assert.Equal(new byte[640], hand.Memory(last.Iova, 640).ToArray());
        Assert.True(arena.TryWriteKey(block, out KeyPlace again));
        Assert.Equal(last, again);
        arena.EraseAllKeys();
        Assert.Equal(new byte[640], hand.Memory(last.Iova, 640).ToArray());
    }
}
