using System.Text;
using System.Text.Json;
using static WarpProxy.Tests.EndToEnd.Strangers.StrangerSocket;

namespace WarpProxy.Tests.EndToEnd.Strangers;

/// <summary>What other clients of vfio-user (QEMU, libvfio-user's, those of the specification) are used to say, and the answers they are used to.</summary>
public sealed class HabitTests(StrangeEmulator emulator) : IClassFixture<StrangeEmulator>
{
    private const int Einval = 22;

    private const string QemuText =
        "{\"capabilities\": {\"max_msg_fds\": 8, \"max_data_xfer_size\": 1048576, \"pgsizes\": 4096, \"max_dma_maps\": 65535, "
        + "\"migration\": {\"pgsize\": 4096, \"max_bitmap_size\": 268435456}, \"write_multiple\": true}}\0";

    private static readonly Dictionary<string, Action<Stranger>> Cases = new()
    {
        ["DEVICE_GET_INFO: resettable, no PCI, four regions, one interrupt index"] = static stranger =>
            Assert.Equal(Bytes(16u, 1u, 4u, 1u), stranger.Ask(4, Bytes(16u, 0u, 0u, 0u)).Payload),
        ["DEVICE_GET_INFO with more room than it takes"] = static stranger =>
            Assert.Equal(Bytes(16u, 1u, 4u, 1u), stranger.Ask(4, Bytes(4096u, 0u, 0u, 0u)).Payload),
        ["Region 1: first the structure, then the capability and the file"] = static stranger => AskTwice(stranger, 1, 86016),
        ["Region 3: first the structure, then the capability and the file"] = static stranger => AskTwice(stranger, 3, 4096),
        ["Region 0 has neither capability nor file"] = static stranger =>
            AssertAnswer(stranger.Ask(5, Bytes(4096u, 0u, 0u, 0u, 0ul, 0ul)), Bytes(32u, 3u, 0u, 0u, 0x2000ul, 0ul)),
        ["Region 2 has neither capability nor file"] = static stranger =>
            AssertAnswer(stranger.Ask(5, Bytes(32u, 0u, 2u, 0u, 0ul, 0ul)), Bytes(32u, 3u, 2u, 0u, 0x1000ul, 0ul)),
        ["A region that PCI would have and this device has not"] = static stranger =>
            Assert.Equal(Einval, stranger.Error(5, Bytes(32u, 0u, 7u, 0u, 0ul, 0ul))),
        ["Regions that can be mapped are read and written by message too"] = static stranger =>
        {
            byte[] data = [.. Enumerable.Range(0, 200).Select(static i => (byte)i)];
            foreach (uint region in (uint[])[1, 3])
            {
                Assert.Equal(0, stranger.TryWrite(region, 0x201, data));
                Assert.Equal(data, stranger.Read(region, 0x201, data.Length));
            }
        },
        ["Nothing read and nothing written is right in each region"] = static stranger =>
        {
            for (uint region = 0; region < 4; region++)
            {
                Assert.Empty(stranger.Read(region, 0, 0));
                Assert.Equal(0, stranger.TryWrite(region, 0, []));
            }

            Assert.Equal(Einval, stranger.TryWrite(4, 0, []));
        },
        ["A read behind the end of a region"] = static stranger => Assert.Equal(Einval, stranger.Error(9, Bytes(86014ul, 1u, 4u))),
        ["DMA_MAP with the flag that the file may be mapped"] = static stranger => Assert.Equal(0, stranger.MapMemory(flags: 7)),
        ["An identical DMA_MAP is EEXIST, as the specification says, and the first one stays"] = static stranger =>
        {
            Assert.Equal(0, stranger.MapMemory());
            Assert.Equal(17, stranger.MapMemory());
            Assert.Equal(0, stranger.Error(3, Bytes(24u, 0u, Stranger.Iova, (ulong)Stranger.MemoryBytes)));
        },
        ["DMA_MAP without a descriptor"] = static stranger =>
            Assert.Equal(Einval, stranger.Error(2, Bytes(32u, 3u, 0ul, Stranger.Iova, (ulong)Stranger.MemoryBytes))),
        ["DMA_UNMAP takes exactly what was mapped and repeats the question"] = static stranger =>
        {
            Assert.Equal(0, stranger.MapMemory());
            Assert.Equal(2, stranger.Error(3, Bytes(24u, 0u, Stranger.Iova, (ulong)Stranger.MemoryBytes / 2)));
            Assert.Equal(2, stranger.Error(3, Bytes(24u, 0u, Stranger.Iova + 4096, (ulong)Stranger.MemoryBytes - 4096)));
            byte[] unmap = Bytes(24u, 0u, Stranger.Iova, (ulong)Stranger.MemoryBytes);
            AssertAnswer(stranger.Ask(3, unmap), unmap);
            Assert.Equal(2, stranger.Error(3, unmap));
        },
        ["DMA_UNMAP with more room than it takes"] = static stranger =>
        {
            Assert.Equal(0, stranger.MapMemory());
            Assert.Equal(0, stranger.Error(3, Bytes(4096u, 0u, Stranger.Iova, (ulong)Stranger.MemoryBytes)));
        },
        ["DMA_UNMAP of all"] = static stranger =>
        {
            Assert.Equal(0, stranger.MapMemory());
            byte[] all = Bytes(24u, 2u, 0ul, 0ul);
            AssertAnswer(stranger.Ask(3, all), all);
            Assert.Equal(0, stranger.MapMemory());
        },
        ["DEVICE_GET_IRQ_INFO: one eventfd, not maskable"] = static stranger =>
            AssertAnswer(stranger.Ask(7, Bytes(16u, 0u, 0u, 0u)), Bytes(16u, 1u, 0u, 1u)),
        ["DEVICE_SET_IRQS: given, fired, and disabled with NONE and count 0"] = static stranger => UseInterrupt(stranger, Bytes(20u, 0x21u, 0u, 0u, 0u)),
        ["DEVICE_SET_IRQS: given, fired, and disabled with EVENTFD and no descriptor"] = static stranger => UseInterrupt(stranger, Bytes(20u, 0x24u, 0u, 0u, 1u)),
        ["DEVICE_SET_IRQS: the interrupt cannot be masked"] = static stranger =>
        {
            Assert.Equal(Einval, stranger.Error(8, Bytes(20u, 0x9u, 0u, 0u, 1u)));
            Assert.Equal(Einval, stranger.Error(8, Bytes(20u, 0x11u, 0u, 0u, 1u)));
        },
        ["DEVICE_SET_IRQS: two interrupts of one, or MSI-X's index"] = static stranger =>
        {
            Assert.Equal(Einval, stranger.Error(8, Bytes(20u, 0x21u, 0u, 0u, 2u)));
            Assert.Equal(Einval, stranger.Error(8, Bytes(20u, 0x21u, 2u, 0u, 0u)));
        },
        ["DEVICE_GET_REGION_IO_FDS: one for region 3, none for the others"] = static stranger =>
        {
            StrangerMessage answer = stranger.Ask(6, Bytes(4096u, 0u, 3u, 0u));
            Assert.Equal(Bytes(56u, 0u, 3u, 1u, 0ul, 4ul, 0u, 0u, 0u, 0u, 0ul), answer.Payload);
            StrangerSocket.Close(Assert.Single(answer.Descriptors));
            AssertAnswer(stranger.Ask(6, Bytes(16u, 0u, 3u, 0u)), Bytes(56u, 0u, 3u, 1u));
            for (uint region = 0; region < 3; region++)
            {
                AssertAnswer(stranger.Ask(6, Bytes(56u, 0u, region, 0u)), Bytes(16u, 0u, region, 0u));
            }
        },
        ["DEVICE_RESET answers nothing, and mappings stay"] = static stranger =>
        {
            Assert.Equal(0, stranger.MapMemory());
            AssertAnswer(stranger.Ask(13, []), []);
            Assert.Equal(17, stranger.MapMemory());
        },
        ["Commands that the device has not: dirty pages, features, migration, many writes, the server's own, unknown ones"] = static stranger =>
        {
            foreach (ushort command in (ushort[])[0, 11, 12, 14, 15, 16, 17, 18, 19, 99, 0xffff])
            {
                Assert.Equal(Einval, stranger.Error(command, Bytes(16u, 0u, 0ul)));
                Assert.Equal(Einval, stranger.Error(command, []));
            }

            Assert.Equal(1u, stranger.ReadRegister(0x2c));
        },
        ["A command that wants no reply gets none, whichever it is"] = static stranger =>
        {
            stranger.Post(2, Bytes(32u, 3u, 0ul, Stranger.Iova, (ulong)Stranger.MemoryBytes), stranger.Memory.Descriptor);
            stranger.Post(3, Bytes(24u, 0u, 0ul, 4096ul));
            stranger.Post(4, Bytes(16u, 0u, 0u, 0u));
            stranger.Post(5, Bytes(64u, 0u, 1u, 0u, 0ul, 0ul));
            stranger.Post(6, Bytes(56u, 0u, 3u, 0u));
            stranger.Post(7, Bytes(16u, 0u, 0u, 0u));
            stranger.Post(8, Bytes(20u, 0x21u, 0u, 0u, 0u));
            stranger.Post(9, Bytes(0ul, 2u, 4u));
            stranger.Post(13, []);
            stranger.Post(16, Bytes(16u, 0u, 0ul));
            stranger.Post(10, Bytes(0x1cul, 2u, 4u, 64u));
            Assert.Equal(64u, stranger.ReadRegister(0x1c));
            Assert.Equal(17, stranger.MapMemory());
        },
        ["Commands that do not wait for each other's replies"] = static stranger =>
        {
            byte[] commands =
            [
                .. Message(7, 4, Bytes(16u, 0u, 0u, 0u)), .. Message(7, 9, Bytes(0ul, 2u, 4u)), .. Message(0xffff, 7, Bytes(16u, 0u, 0u, 0u)),
            ];
            stranger.Socket.Send(commands);
            foreach ((ushort id, ushort command, int bytes) in ((ushort, ushort, int)[])[(7, 4, 16), (7, 9, 20), (0xffff, 7, 16)])
            {
                StrangerMessage reply = stranger.Socket.Receive();
                Assert.Equal((id, command, 1u, bytes), (reply.Id, reply.Command, reply.Flags, reply.Payload.Length));
            }
        },
        ["A message in single bytes"] = static stranger =>
        {
            foreach (byte one in Message(3, 7, Bytes(16u, 0u, 0u, 0u)))
            {
                stranger.Socket.Send([one]);
            }

            Assert.Equal(Bytes(16u, 1u, 0u, 1u), stranger.Socket.Receive().Payload);
        },
        ["A reply where a command belongs"] = static stranger =>
        {
            stranger.Socket.Send(Message(9, 4, Bytes(16u, 0u, 0u, 0u), flags: 1));
            StrangerMessage reply = stranger.Socket.Receive();
            Assert.Equal((9, 0x21u, (uint)Einval, 0), (reply.Id, reply.Flags, reply.Error, reply.Payload.Length));
            Assert.Equal(1u, stranger.ReadRegister(0x2c));
        },
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Is_accepted(string habit)
    {
        using Stranger stranger = Stranger.Open(emulator.Socket);
        Cases[habit](stranger);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(0, "\0")]
    [InlineData(0, "{}\0")]
    [InlineData(0, "{\"capabilities\":{}}\0")]
    [InlineData(0, "{\"capabilities\":{\"twin_socket\":{\"supported\":true},\"something\":[1,{\"new\":null}]},\"more\":1}\0")]
    [InlineData(0, "{\"capabilities\":{\"max_msg_fds\":1}}\0\0\0\0")]
    [InlineData(0, QemuText)]
    [InlineData(1, "{\"capabilities\":{\"max_msg_fds\":8}}\0")]
    [InlineData(2, QemuText)]
    public void Version_is_answered_with_the_smaller_one_and_always_with_a_text(ushort minor, string? text)
    {
        using var stranger = new Stranger(emulator.Socket);
        StrangerMessage reply = stranger.Ask(1, Stranger.Version(minor: minor, text: text));
        Assert.Equal((0u, (ushort)0, (ushort)0), (reply.Error, reply.U16(0), reply.U16(2)));
        Assert.Equal(0, reply.Payload[^1]);
        using JsonDocument answer = JsonDocument.Parse(Encoding.UTF8.GetString(reply.Payload, 4, reply.Payload.Length - 5));

        // Nothing that was not offered: neither a second socket nor migration nor many writes at once.
        Assert.Equal(
            ["max_msg_fds", "max_data_xfer_size", "max_dma_maps", "pgsizes"],
            answer.RootElement.GetProperty("capabilities").EnumerateObject().Select(static limit => limit.Name));
        Assert.Equal(1u, stranger.ReadRegister(0x2c));
    }

    private static void AskTwice(Stranger stranger, uint region, ulong size)
    {
        AssertAnswer(stranger.Ask(5, Bytes(32u, 0u, region, 0u, 0ul, 0ul)), Bytes(64u, 15u, region, 32u, size, 0ul));
        StrangerMessage second = stranger.Ask(5, Bytes(64u, 0u, region, 0u, 0ul, 0ul));
        Assert.Equal(Bytes(64u, 15u, region, 32u, size, 0ul, (ushort)1, (ushort)1, 0u, 1u, 0u, 0ul, size), second.Payload);
        using var mapped = new StrangerMemory(Assert.Single(second.Descriptors), (int)size);
        Assert.Equal(stranger.Read(region, 0, 4096), mapped.Span[..4096].ToArray());
    }

    private static void AssertAnswer(StrangerMessage reply, byte[] payload)
    {
        Assert.Equal(0u, reply.Error);
        Assert.Equal(payload, reply.Payload);
        Assert.Empty(reply.Descriptors);
    }

    private static void UseInterrupt(Stranger stranger, byte[] disable)
    {
        int interrupt = NewEventFd();
        try
        {
            AssertAnswer(stranger.Ask(8, Bytes(20u, 0x24u, 0u, 0u, 1u), interrupt), []);
            Assert.Equal(0, stranger.Error(8, Bytes(20u, 0x21u, 0u, 0u, 1u)));
            Assert.Equal(1ul, TakeSignals(interrupt));
            Assert.Equal(0, stranger.Error(8, disable));
            Assert.Equal(0, stranger.Error(8, Bytes(20u, 0x21u, 0u, 0u, 1u)));
            Assert.Equal(0ul, TakeSignals(interrupt));
        }
        finally
        {
            StrangerSocket.Close(interrupt);
        }
    }
}
