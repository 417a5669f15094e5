using System.Text;
using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

public sealed class VersionTests : IDisposable
{
    private readonly ServedDevice _device = new();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Version_is_answered_with_0_0_and_the_limits(ushort minor)
    {
        using RawClient client = _device.Connect();
        using RawReply reply = client.Call(1, RawClient.Version(minor: minor));
        Assert.Equal(new byte[4], reply.Payload[..4]);
        Assert.Equal(
            "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536,\"max_dma_maps\":256,\"pgsizes\":4096}}\0",
            Encoding.UTF8.GetString(reply.Payload[4..]));
        Assert.Equal(1, _device.Accelerator.QueueCount);
    }

    [Fact]
    public void The_limit_of_mappings_is_the_devices_own()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxDmaMaps = 7 });
        using RawClient client = device.Connect();
        using RawReply reply = client.Call(1, RawClient.Version());
        Assert.Contains("\"max_dma_maps\":7,", Encoding.UTF8.GetString(reply.Payload), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}\0")]
    [InlineData("{}\0\0\0")]
    [InlineData("{}\0 padding that nobody reads\0")]
    [InlineData("{\"capabilities\":{\"write_multiple\":true,\"migration\":{\"pgsize\":4096}}}\0")]
    public void Text_may_be_absent_or_hold_unknown_keys(string json)
    {
        using RawClient client = _device.Connect();
        Assert.Equal(0, client.Error(1, RawClient.Version(json: json)));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\0")]
    [InlineData("[]\0")]
    [InlineData("\0")]
    [InlineData("{} {}\0")]
    [InlineData("{\"capabilities\":[]}\0")]
    [InlineData("{\"capabilities\":{\"max_msg_fds\":-1}}\0")]
    [InlineData("{\"capabilities\":{\"max_msg_fds\":\"8\"}}\0")]
    public void Text_that_is_no_object_of_limits_is_refused_and_ends_the_connection(string json)
    {
        using RawClient client = _device.Connect();
        int error = client.Error(1, RawClient.Version(json: json));

        // A NUL alone is an absent text.
        Assert.Equal(json == "\0" ? 0 : Errno.EINVAL, error);
        if (error != 0)
        {
            client.AwaitEnd();
            Assert.Equal(0, _device.Accelerator.QueueCount);
        }
    }

    [Fact]
    public void Another_major_version_is_refused()
    {
        using RawClient client = _device.Connect();
        Assert.Equal(Errno.EINVAL, client.Error(1, RawClient.Version(major: 1)));
        client.AwaitEnd();
    }

    [Fact]
    public void Version_shorter_than_its_two_numbers_is_refused()
    {
        using RawClient client = _device.Connect();
        Assert.Equal(Errno.EINVAL, client.Error(1, [0, 0, 0]));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(13)]
    [InlineData(99)]
    public void Commands_before_version_are_refused(ushort command)
    {
        using RawClient client = _device.Connect();
        Assert.Equal(Errno.EINVAL, client.Error(command, new byte[16]));
        Assert.Equal(0, client.Error(1, RawClient.Version()));
    }

    [Fact]
    public void A_second_version_is_refused_and_the_queue_stays()
    {
        using RawClient client = _device.Open();
        Assert.Equal(Errno.EINVAL, client.Error(1, RawClient.Version()));
        Assert.Equal(1, _device.Accelerator.QueueCount);
        Assert.Equal(1u, client.ReadRegister(0x2c));
    }

    [Fact]
    public void At_the_limit_of_queues_the_answer_is_ENOSPC_until_one_is_closed()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxQueues = 1 });
        using RawClient first = device.Open();
        using RawClient second = device.Connect();
        Assert.Equal(Errno.ENOSPC, second.Error(1, RawClient.Version()));
        second.AwaitEnd();
        first.Dispose();
        device.AwaitQueues(0);
        using RawClient third = device.Open();
        Assert.Equal(1u, third.ReadRegister(0x2c));
    }
}
