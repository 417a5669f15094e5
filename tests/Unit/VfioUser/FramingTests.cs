using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>Headers, pieces of messages, descriptors that nobody asked for, and clients that misbehave.</summary>
public sealed class FramingTests : IDisposable
{
    private const ushort DmaMap = 2;
    private const ushort RegionRead = 9;
    private const ushort RegionWrite = 10;
    private const ushort Reset = 13;
    private const uint NoReply = 0x10;

    private readonly ServedDevice _device = new();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(65535)]
    public void Unknown_commands_are_refused(ushort command)
    {
        using RawClient client = _device.Open();
        Assert.Equal(Errno.EINVAL, client.Error(command, new byte[16]));
    }

    [Fact]
    public void A_reply_where_a_command_is_expected_is_refused()
    {
        using RawClient client = _device.Open();
        client.Send(RawClient.Message(7, Reset, [], flags: 1));
        using RawReply reply = client.Receive();
        Assert.Equal((7, 0x21u, (uint)Errno.EINVAL), (reply.Id, reply.Flags, reply.Error));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(15u)]
    [InlineData(65601u)]
    [InlineData(uint.MaxValue)]
    public void A_size_below_the_header_or_above_the_limit_ends_the_connection(uint size)
    {
        using RawClient client = _device.Open();
        client.Send(RawClient.Message(1, Reset, [], size: size));
        client.AwaitEnd();
        _device.AwaitQueues(0);
    }

    [Fact]
    public void A_message_of_the_limit_is_read_whole_and_the_next_one_found()
    {
        using RawClient client = _device.Open();
        Assert.Equal(Errno.EINVAL, client.Error(99, new byte[65600 - 16]));
        Assert.Equal(1u, client.ReadRegister(0x2c));
    }

    [Fact]
    public void Messages_in_single_bytes_are_answered()
    {
        using RawClient client = _device.Open();
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        byte[] message = RawClient.Message(5, DmaMap, RawClient.DmaMap());
        client.Send(message[..1], memory.File);
        foreach (byte one in message[1..])
        {
            client.Send([one]);
        }

        using RawReply reply = client.Receive();
        Assert.Equal((5, 0u), (reply.Id, reply.Error));
    }

    [Fact]
    public void Half_a_message_holds_up_nobody_else()
    {
        using RawClient slow = _device.Open();
        slow.Send(RawClient.Message(5, Reset, [], size: 1000));
        using RawClient other = _device.Open();
        Assert.Equal(1u, other.ReadRegister(0x2c));
    }

    [Fact]
    public void Pipelined_commands_are_answered_in_order_and_keep_their_descriptors()
    {
        using RawClient client = _device.Open();
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        for (ushort id = 0; id < 100; id += 2)
        {
            client.Send(RawClient.Message(id, RegionRead, RawClient.Access(2, 0x24, 4)));
            client.Send(RawClient.Message((ushort)(id + 1), DmaMap, RawClient.DmaMap(iova: (ulong)(id + 1) << 12)), memory.File);
        }

        for (ushort id = 0; id < 100; id++)
        {
            using RawReply reply = client.Receive();
            Assert.Equal((id, 0u), (reply.Id, reply.Error));
        }
    }

    [Fact]
    public void Commands_that_want_no_reply_get_none_whether_right_or_wrong()
    {
        using RawClient client = _device.Open();
        byte[] depth = [.. RawClient.Access(2, 0x1c, 4), .. RawClient.Bytes(64u)];
        byte[] wrong = [.. RawClient.Access(2, 0x1c, 4), .. RawClient.Bytes(65u)];
        client.Send(RawClient.Message(1, RegionWrite, depth, NoReply));
        client.Send(RawClient.Message(2, RegionWrite, wrong, NoReply));
        client.Send(RawClient.Message(3, 99, [], NoReply));
        Assert.Equal(64u, client.ReadRegister(0x1c));
    }

    [Fact]
    public void A_descriptor_that_a_command_does_not_take_is_refused_and_closed()
    {
        using RawClient client = _device.Open();
        using var probe = new DescriptorProbe();
        Assert.Equal(Errno.EINVAL, client.Error(Reset, [], probe.TakeDescriptor()));
        probe.AwaitClosed();
    }

    [Fact]
    public void Descriptors_of_a_message_that_never_ends_are_closed_with_the_connection()
    {
        using RawClient client = _device.Open();
        using var probe = new DescriptorProbe();
        client.Send(RawClient.Message(1, DmaMap, [], size: 48), probe.TakeDescriptor());
        client.Dispose();
        probe.AwaitClosed();
        _device.AwaitQueues(0);
    }

    [Fact]
    public void More_descriptors_than_a_message_may_carry_end_the_connection_before_the_message_does()
    {
        using RawClient client = _device.Open();
        using var memory = SharedMemory.Create("test", 4096, secret: false);
        byte[] message = RawClient.Message(1, DmaMap, RawClient.DmaMap());
        client.Send(message[..1], [.. Enumerable.Repeat(memory.File, 8)]);
        client.Send(message[1..2], memory.File);
        client.AwaitEnd();
        _device.AwaitQueues(0);
    }

    [Fact]
    public void A_client_that_never_reads_is_disconnected_and_the_others_are_served()
    {
        using RawClient deaf = _device.Open();
        using RawClient other = _device.Open();
        byte[] question = RawClient.Message(1, RegionRead, RawClient.Access(1, 0, 65536));
        LinuxException end = Assert.Throws<LinuxException>(() =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                deaf.Send(question);
            }
        });
        Assert.Contains(end.Error, new[] { Errno.EPIPE, Errno.ECONNRESET });
        Assert.Equal(1u, other.ReadRegister(0x2c));
        _device.AwaitQueues(1);
    }

    [Fact]
    public void A_client_that_disappears_frees_its_queue()
    {
        RawClient client = _device.Open();
        using RawClient other = _device.Open();
        client.Send(RawClient.Message(1, RegionRead, RawClient.Access(1, 0, 65536)));
        client.Dispose();
        _device.AwaitQueues(1);
        Assert.Equal(1u, other.ReadRegister(0x2c));
    }

    [Fact]
    public void Two_clients_have_two_queues()
    {
        using RawClient first = _device.Open();
        using RawClient second = _device.Open();
        Assert.NotEqual(first.ReadRegister(0x24), second.ReadRegister(0x24));
    }

    [Fact]
    public void A_connection_without_version_is_ended_when_its_time_is_over()
    {
        var time = new HandTime();
        using var device = new ServedDevice(time: time);
        using RawClient open = device.Open();
        using RawClient silent = device.Connect();

        // Accepted in this order: when this one has its answer, the server knows the silent one.
        using RawClient next = device.Open();
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1u, open.ReadRegister(0x2c));
        silent.AwaitEnd();
        Assert.Equal(1u, next.ReadRegister(0x2c));
    }

    [Fact]
    public void Silent_connections_beyond_the_limit_make_room_for_those_that_speak()
    {
        var time = new HandTime();
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxQueues = 1 }, time: time);
        using RawClient open = device.Open();
        RawClient[] silent = [.. Enumerable.Range(0, 64).Select(_ => device.Connect())];

        // The sixty-sixth waits in the listener's queue, and is served as soon as the others were silent for a second.
        using RawClient late = device.Connect();
        late.Send(RawClient.Message(1, 1, RawClient.Version()));
        device.AwaitConnections(65);
        time.Advance(TimeSpan.FromSeconds(1));
        silent[0].AwaitEnd();
        using (RawReply reply = late.Receive())
        {
            Assert.Equal((uint)Errno.ENOSPC, reply.Error);
        }

        late.AwaitEnd();
        Assert.Equal(Errno.EINVAL, silent[^1].Error(13, []));
        Assert.Equal(1u, open.ReadRegister(0x2c));
        Array.ForEach(silent, client => client.Dispose());
    }

    [Fact]
    public void Closing_the_server_ends_every_connection_and_removes_the_socket()
    {
        using RawClient client = _device.Open();
        _device.Server.Dispose();
        client.AwaitEnd();
        Assert.Equal(0, _device.Accelerator.QueueCount);
        Assert.False(File.Exists(_device.Path));
    }

    private sealed class HandTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
    }

    /// <summary>A descriptor whose last copy's end shows: one end of a connection.</summary>
    private sealed class DescriptorProbe : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-probe-");
        private readonly UnixListener _listener;
        private readonly UnixSocket _watched;
        private readonly UnixSocket _passed;

        public DescriptorProbe()
        {
            string path = Path.Combine(_directory.FullName, "s");
            _listener = UnixListener.Bind(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            _watched = UnixSocket.Connect(path, ServedDevice.Timeout);
            _passed = _listener.TryAccept()!;
        }

        public FileDescriptor TakeDescriptor() => _passed.File;

        public void AwaitClosed()
        {
            _passed.Dispose();
            Assert.Equal(0, _watched.Receive(new byte[1], [], wait: true));
        }

        public void Dispose()
        {
            _watched.Dispose();
            _passed.Dispose();
            _listener.Dispose();
            _directory.Delete(recursive: true);
        }
    }
}
