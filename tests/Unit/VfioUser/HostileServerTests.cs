using System.Text;
using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>
/// The driver's client against servers that mean harm: whatever they say, a call ends with one sentence and in bounded time, and no
/// descriptor of theirs stays open.
/// </summary>
public sealed class HostileServerTests : IDisposable
{
    /// <summary>The calls of <see cref="Story"/>, a message each.</summary>
    private const int Calls = 13;

    private static readonly Dictionary<string, string> Texts = new()
    {
        ["deep arrays"] = "{\"capabilities\":" + new string('[', 60_000),
        ["deep objects"] = string.Concat(Enumerable.Repeat("{\"capabilities\":", 4_000)),
        ["deep and closed"] = "{\"a\":" + new string('[', 30_000) + new string(']', 30_000) + "}",
        ["one long name"] = "{\"" + new string('x', 65_000) + "\":1}",
        ["no end"] = "{\"capabilities\":{\"max_msg_fds\":8",
        ["a number beyond all"] = "{\"capabilities\":{\"max_msg_fds\":1e99999}}",
        ["a fraction"] = "{\"capabilities\":{\"max_data_xfer_size\":0.5}}",
        ["a name twice"] = "{\"capabilities\":{\"pgsizes\":4096,\"pgsizes\":[]}}",
        ["half a character"] = "{\"capabilities\":{\"pgsizes\":\"\\ud800\"}}",
        ["bytes that are no text"] = "{\"\u00ff\u0080\":\u0001}",
        ["NULs"] = new string('\0', 60_000),
    };

    private readonly ServedDevice _device = new();
    private readonly string _mark = $"mark-{Guid.NewGuid():n}";
    private readonly SharedMemory _memory;

    public HostileServerTests() => _memory = SharedMemory.Create(_mark, 8192, secret: false);

    public static TheoryData<int> Numbers => [.. Enumerable.Range(1, Calls)];

    public static TheoryData<string> TextNames => [.. Texts.Keys];

    public static TheoryData<string> Kinds => [.. DescriptorZoo.Kinds];

    public void Dispose()
    {
        // The test's own one.
        Assert.True(SpinWait.SpinUntil(() => MarkedDescriptors() == 1, ServedDevice.Timeout), $"{MarkedDescriptors()} descriptors of the test are open, not 1");
        _memory.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void Server_that_only_passes_on_is_used_to_the_end()
    {
        int replies = 0;
        Tell((number, client, reply, descriptors) => MeddlingServer.Pass(client, reply, descriptors) && (replies = number) > 0);
        Assert.Equal(Calls, replies);
    }

    [Fact]
    public void Replies_in_single_bytes_are_put_together() =>
        Tell(static (_, client, reply, descriptors) =>
        {
            for (int i = 0; i < reply.Length; i++)
            {
                _ = client.Send(reply.AsSpan(i, 1), i == 0 ? descriptors : [], wait: true);
            }

            return true;
        });

    [Theory, MemberData(nameof(Numbers))]
    public void Close_instead_of_a_reply_is_ECONNRESET(int at)
    {
        LinuxException failure = Assert.IsType<LinuxException>(Fail((number, client, reply, descriptors) =>
            number != at && MeddlingServer.Pass(client, reply, descriptors)));
        Assert.Equal(Errno.ECONNRESET, failure.Error);
    }

    [Theory, MemberData(nameof(Numbers))]
    public void Close_in_the_middle_of_a_reply_is_ECONNRESET(int at)
    {
        foreach (int part in (int[])[1, 15, 17])
        {
            LinuxException failure = Assert.IsType<LinuxException>(Fail((number, client, reply, descriptors) =>
            {
                if (number != at)
                {
                    return MeddlingServer.Pass(client, reply, descriptors);
                }

                // A reply without a payload is one byte longer than it says it would be.
                reply[4] = (byte)(reply.Length == 16 ? 32 : reply[4]);
                _ = client.Send(reply.AsSpan(0, Math.Min(part, reply.Length - 1)), [_memory.File, .. descriptors], wait: true);
                return false;
            }));
            Assert.Equal(Errno.ECONNRESET, failure.Error);
        }
    }

    [Theory, MemberData(nameof(Numbers))]
    public void Thousands_of_descriptors_with_a_reply_end_the_connection(int at)
    {
        Exception failure = Fail((number, client, reply, descriptors) =>
        {
            if (number != at)
            {
                return MeddlingServer.Pass(client, reply, descriptors);
            }

            // Until the client has gone, or the system lets no more travel.
            FileDescriptor[] many = [.. Enumerable.Repeat(_memory.File, UnixSocket.MaxDescriptors)];
            for (int i = 0; i < 125; i++)
            {
                _ = client.Send(reply.AsSpan(i % reply.Length, 1), many, wait: true);
            }

            return false;
        });
        Assert.Contains("16 descriptors; at most 8 are allowed", Assert.IsType<VfioUserProtocolException>(failure).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Descriptors_that_nobody_asked_for_are_closed() =>
        Tell((_, client, reply, descriptors) => descriptors.Length > 0
            ? MeddlingServer.Pass(client, reply, descriptors)
            : MeddlingServer.Pass(client, reply, [.. Enumerable.Repeat(_memory.File, 8)]));

    [Fact]
    public void Reply_that_never_ends_is_ETIMEDOUT()
    {
        LinuxException failure = Assert.IsType<LinuxException>(Fail(
            static (number, client, reply, descriptors) =>
            {
                // As long as it may be, and slower than anybody would wait; Send ends it when the client has gone.
                BitConverter.TryWriteBytes(reply.AsSpan(4), 65600);
                _ = client.Send(reply, descriptors, wait: true);
                while (true)
                {
                    _ = client.Send([0], [], wait: true);
                    _ = Poll.WaitReadable(client.File, null, TimeSpan.FromMilliseconds(5));
                }
            },
            TimeSpan.FromMilliseconds(200)));
        Assert.Equal(Errno.ETIMEDOUT, failure.Error);
    }

    [Fact]
    public void Words_that_nobody_asked_for_end_the_connection()
    {
        byte[] noise = new byte[60_000];
        Exception failure = Fail((number, client, reply, descriptors) =>
        {
            _ = MeddlingServer.Pass(client, reply, descriptors);
            return MeddlingServer.Pass(client, noise, [_memory.File, _memory.File]);
        });
        Assert.True(failure is LinuxException { Error: Errno.ENODEV or Errno.ECONNRESET or Errno.EPIPE } or VfioUserProtocolException, failure.Message);
    }

    [Theory, MemberData(nameof(TextNames))]
    public void Version_with_a_text_of_ill_will_is_refused_or_taken_for_none(string what)
    {
        string text = Texts[what];
        Exception? failure = Record.Exception(() => Tell((number, client, reply, descriptors) => number == 1
            ? MeddlingServer.Pass(client, RawClient.Message(1, 1, [0, 0, 0, 0, .. Encoding.Latin1.GetBytes(text), 0], flags: 1), [])
            : MeddlingServer.Pass(client, reply, descriptors)));
        if (what is "one long name" or "NULs")
        {
            Assert.Null(failure);
            return;
        }

        string sentence = Assert.IsType<VfioUserProtocolException>(failure).Message;
        Assert.Contains("no JSON of limits", sentence, StringComparison.Ordinal);
        AssertIsOneSentence(sentence);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Region_or_ioeventfd_that_is_something_else_is_refused_and_closed_without_waiting(string kind)
    {
        foreach (ushort command in (ushort[])[5, 6])
        {
            // The last copy of a socket that lingers is the client's; a system may lack a kind.
            FileDescriptor? caught = DescriptorZoo.Catch(kind);
            if (caught is null)
            {
                return;
            }

            Exception failure = Fail((number, client, reply, descriptors) =>
            {
                if (descriptors.Length == 0 || reply[2] != command)
                {
                    return MeddlingServer.Pass(client, reply, descriptors);
                }

                _ = MeddlingServer.Pass(client, reply, [caught]);
                caught.Dispose();
                return true;
            });
            Assert.True(failure is LinuxException { Error: Errno.EINVAL or Errno.EACCES or Errno.EPERM or Errno.EBADF } or VfioUserProtocolException, failure.ToString());
        }
    }

    private static void AssertIsOneSentence(string message)
    {
        Assert.DoesNotContain('\n', message);
        Assert.True(message.Length is > 20 and < 500, message);
    }

    private int MarkedDescriptors() =>
        Directory.EnumerateFiles("/proc/self/fd").Count(path => new FileInfo(path).LinkTarget?.Contains(_mark, StringComparison.Ordinal) == true);

    private void Tell(MeddlingServer.Say say, TimeSpan? timeout = null)
    {
        using var server = new MeddlingServer(_device.Path, say);
        Story(server.Path, timeout ?? ServedDevice.Timeout);
    }

    /// <summary>What the story ends with, if it is one sentence.</summary>
    private Exception Fail(MeddlingServer.Say say, TimeSpan? timeout = null)
    {
        Exception? failure = Record.Exception(() => Tell(say, timeout));
        Assert.True(failure is LinuxException or VfioUserProtocolException, failure?.ToString() ?? "nothing went wrong");
        AssertIsOneSentence(failure!.Message);
        return failure;
    }

    /// <summary>All calls of a client, each once, in the order in which a queue is opened.</summary>
    private void Story(string path, TimeSpan timeout)
    {
        using var interrupt = new EventFd();
        using VfioUserClient client = VfioUserClient.Connect(path, timeout);
        Assert.Equal(4u, client.GetInfo().RegionCount);
        Assert.Equal(86016ul, client.GetRegionInfo(1).SizeBytes);
        using MappedMemory rings = client.MapRegion(1);
        using MappedMemory doorbells = client.MapRegion(3);
        using EventFd doorbell = client.GetRegionIoEventFd(3);
        Assert.Equal(1u, client.GetIrqInfo(0).Count);
        client.SetIrq(0, interrupt);
        client.MapDma(_memory.File, 0, 0x10000, 8192, DmaAccess.ReadWrite);
        client.ReadRegion(2, 0x24, new byte[4]);
        client.WriteRegion(2, 0x1c, [4, 0, 0, 0]);
        client.UnmapDma(0x10000, 8192);
        client.Reset();
    }
}
