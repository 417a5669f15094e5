using System.Runtime.InteropServices;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>The driver's client against servers that answer wrong: byte by byte what each says.</summary>
public sealed partial class WrongServerTests : IDisposable
{
    private const string Json = "{\"capabilities\":{}}\0";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-test-");

    private UnixSocket? _socket;

    private string Path => System.IO.Path.Combine(_directory.FullName, "s");

    public void Dispose()
    {
        _socket?.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(2, 1, 1u, 0u, "message id 2; 1 is allowed")]
    [InlineData(1, 4, 1u, 0u, "command 4; 1 is allowed")]
    [InlineData(1, 1, 0u, 0u, "type 0; 1, a reply, is allowed")]
    [InlineData(1, 1, 1u, 15u, "message size 15; 16 to 65600 are allowed")]
    [InlineData(1, 1, 1u, 0xffffffffu, "message size 4294967295; 16 to 65600 are allowed")]
    public void A_header_that_is_no_answer_is_refused_with_the_value(ushort id, ushort command, uint flags, uint size, string sentence)
    {
        byte[] reply = Reply(id, command, RawClient.Version(json: Json), flags, size == 0 ? null : size);
        VfioUserProtocolException refusal = Assert.Throws<VfioUserProtocolException>(() => Connect(reply).Dispose());
        Assert.StartsWith($"The server at '{Path}' answered vfio-user VERSION with ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_web_server_is_refused() =>
        Assert.Throws<VfioUserProtocolException>(() => Connect("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray()));

    [Theory]
    [InlineData(1, 0, "version 1.0; 0.0 is allowed")]
    [InlineData(0, 1, "version 0.1; 0.0 is allowed")]
    public void Another_version_is_refused(ushort major, ushort minor, string sentence)
    {
        byte[] reply = Reply(1, 1, RawClient.Version(major, minor, Json));
        Assert.Contains(sentence, Assert.Throws<VfioUserProtocolException>(() => Connect(reply)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\0")]
    [InlineData("{\"capabilities\":{\"max_data_xfer_size\":-1}}\0")]
    [InlineData("nonsense")]
    public void A_text_that_is_no_JSON_of_limits_is_refused(string json)
    {
        byte[] reply = Reply(1, 1, RawClient.Version(json: json));
        Assert.Contains("no JSON of limits", Assert.Throws<VfioUserProtocolException>(() => Connect(reply)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"capabilities\":{\"migration\":{\"pgsize\":4096}}}\0")]
    public void A_text_that_is_absent_or_says_more_is_taken(string json)
    {
        using VfioUserClient client = Connect(Reply(1, 1, RawClient.Version(json: json)));
        Assert.False(client.IsGone);
    }

    [Fact]
    public void A_short_version_is_refused() =>
        Assert.Contains(
            "3 bytes; 4 or more are needed",
            Assert.Throws<VfioUserProtocolException>(() => Connect(Reply(1, 1, new byte[3]))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Silence_ends_with_the_timeout()
    {
        LinuxException refusal = Assert.Throws<LinuxException>(() => Connect([], TimeSpan.FromMilliseconds(50)));
        Assert.Equal($"vfio-user VERSION({Path}, 50 ms) failed: Connection timed out (errno 110)", refusal.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(17)]
    public void The_end_instead_of_an_answer_is_ECONNRESET(int bytes)
    {
        byte[] reply = Reply(1, 1, RawClient.Version(json: Json))[..bytes];
        Assert.Equal(Errno.ECONNRESET, Assert.Throws<LinuxException>(() => Connect(reply, close: true)).Error);
    }

    [Theory]
    [InlineData(28u, 28)]
    [InlineData(0u, Errno.EPROTO)]
    public void An_error_reply_is_thrown_with_its_number(uint sent, int thrown)
    {
        byte[] reply = Reply(1, 1, [], 0x21);
        BitConverter.GetBytes(sent).CopyTo(reply, 12);
        Assert.Equal(thrown, Assert.Throws<LinuxException>(() => Connect(reply)).Error);
    }

    [Fact]
    public void An_error_reply_with_a_payload_is_read_whole()
    {
        byte[] error = Reply(2, 13, new byte[16], 0x21);
        error[12] = Errno.EBUSY;
        using VfioUserClient client = Connect([.. Good(), .. error, .. Reply(3, 13, [])]);
        Assert.Equal(Errno.EBUSY, Assert.Throws<LinuxException>(client.Reset).Error);
        client.Reset();
    }

    [Fact]
    public void Bytes_that_nobody_asked_for_mean_that_the_device_is_gone()
    {
        using VfioUserClient client = Connect([.. Good(), 1]);
        Assert.True(client.IsGone);
        Assert.Equal(Errno.ENODEV, Assert.Throws<LinuxException>(client.Reset).Error);
    }

    [Fact]
    public void A_wrong_answer_breaks_the_connection_for_good()
    {
        using VfioUserClient client = Connect([.. Good(), .. Reply(9, 13, []), .. Reply(3, 13, [])]);
        Assert.Throws<VfioUserProtocolException>(client.Reset);
        Assert.True(client.IsGone);
        Assert.Equal(Errno.ENODEV, Assert.Throws<LinuxException>(client.Reset).Error);
    }

    [Theory]
    [InlineData(2u, 0ul, 4096ul, 4096ul, 0ul, "2 areas")]
    [InlineData(1u, 4096ul, 4096ul, 8192ul, 0ul, "at 4096")]
    [InlineData(1u, 0ul, 8192ul, 4096ul, 0ul, "8192 bytes")]
    [InlineData(1u, 0ul, 0ul, 4096ul, 0ul, "0 bytes")]
    [InlineData(1u, 0ul, 8192ul, 8192ul, 0ul, "file of 4096 bytes")]
    [InlineData(1u, 0ul, 4096ul, 4096ul, 4096ul, "file of 4096 bytes")]
    [InlineData(1u, 0ul, 1ul << 30, 1ul << 30, 0ul, "1073741824 bytes")]
    [InlineData(1u, 0ul, ulong.MaxValue, ulong.MaxValue, 0ul, "18446744073709551615 bytes")]
    [InlineData(1u, 0ul, 4096ul, 4096ul, ulong.MaxValue, "file of 4096 bytes")]
    public void An_area_that_is_not_the_region_or_not_in_the_file_is_not_mapped(
        uint areas, ulong offset, ulong size, ulong region, ulong mapOffset, string sentence)
    {
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        byte[] answer =
        [
            .. RawClient.Bytes(64u, 15u, 1u, 32u, region, mapOffset),
            .. RawClient.Bytes((ushort)1, (ushort)1, 0u, areas, 0u, offset, size),
        ];
        VfioUserProtocolException refusal = Assert.Throws<VfioUserProtocolException>(() => AskRegion(answer, memory.File));
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7u, 32u)]
    [InlineData(15u, 0u)]
    [InlineData(15u, 31u)]
    [InlineData(15u, 60u)]
    [InlineData(15u, uint.MaxValue)]
    public void A_region_without_a_capability_inside_the_answer_is_not_mapped(uint flags, uint capabilityOffset)
    {
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        byte[] answer =
        [
            .. RawClient.Bytes(64u, flags, 1u, capabilityOffset, 4096ul, 0ul),
            .. RawClient.Bytes((ushort)1, (ushort)1, 0u, 1u, 0u, 0ul, 4096ul),
        ];
        Assert.Throws<VfioUserProtocolException>(() => AskRegion(answer, memory.File));
    }

    [Fact]
    public void A_region_of_huge_pages_is_not_mapped()
    {
        // memfd_create(2): MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB. No page is needed for a file of them.
        int number = memfd_create("huge", 1 | 2 | 4);
        if (number < 0)
        {
            return;
        }

        using var file = new FileDescriptor(number);
        Assert.Equal(0, ftruncate(number, 2 << 20));
        Assert.Equal(0, fcntl(number, 1033, 2 | 4 | 1));   // F_ADD_SEALS: shrink, grow, seal
        byte[] answer =
        [
            .. RawClient.Bytes(64u, 15u, 1u, 32u, 2ul << 20, 0ul),
            .. RawClient.Bytes((ushort)1, (ushort)1, 0u, 1u, 0u, 0ul, 2ul << 20),
        ];
        Assert.Contains("huge pages", Assert.Throws<VfioUserProtocolException>(() => AskRegion(answer, file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Capabilities_that_lead_back_end()
    {
        byte[] answer = [.. RawClient.Bytes(64u, 15u, 1u, 32u, 4096ul, 0ul), .. RawClient.Bytes((ushort)9, (ushort)1, 32u, 0u, 0u, 0ul, 0ul)];
        Assert.Throws<VfioUserProtocolException>(() => AskRegion(answer));
    }

    [Fact]
    public void A_region_without_its_descriptor_is_not_mapped()
    {
        byte[] answer = [.. RawClient.Bytes(64u, 15u, 1u, 32u, 4096ul, 0ul), .. RawClient.Bytes((ushort)1, (ushort)1, 0u, 1u, 0u, 0ul, 4096ul)];
        Assert.Contains("0 descriptors", Assert.Throws<VfioUserProtocolException>(() => AskRegion(answer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_question_with_more_room_gets_the_capability_behind_another()
    {
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        byte[] first = RawClient.Bytes(200u, 15u, 1u, 32u, 4096ul, 0ul);
        byte[] second =
        [
            .. RawClient.Bytes(200u, 15u, 1u, 32u, 4096ul, 0ul),
            .. RawClient.Bytes((ushort)9, (ushort)1, 168u),
            .. new byte[128],
            .. RawClient.Bytes((ushort)1, (ushort)1, 0u, 1u, 0u, 0ul, 4096ul),
        ];
        using VfioUserClient client = Serve([(Good(), []), (Reply(2, 5, first), []), (Reply(3, 5, second), [memory.File])]);
        memory.Memory.At<uint>(0) = 42;
        using MappedMemory mapped = client.MapRegion(1);
        Assert.Equal((42u, 4096), (mapped.At<uint>(0), mapped.Length));
    }

    private static byte[] Reply(ushort id, ushort command, byte[] payload, uint flags = 1, uint? size = null) =>
        RawClient.Message(id, command, payload, flags, size);

    private static byte[] Good() => Reply(1, 1, RawClient.Version(json: Json));

    private void AskRegion(byte[] answer, params FileDescriptor[] descriptors)
    {
        using VfioUserClient client = Serve([(Good(), []), (Reply(2, 5, answer), descriptors)]);
        client.MapRegion(1).Dispose();
    }

    private VfioUserClient Connect(byte[] answer, TimeSpan? timeout = null, bool close = false) =>
        Serve([(answer, [])], timeout, close);

    /// <summary>
    /// A server that waits for the first question and then says all its answers, each as one piece; then it closes, or is silent
    /// until the test ends.
    /// </summary>
    private VfioUserClient Serve((byte[] Bytes, FileDescriptor[] Descriptors)[] answers, TimeSpan? timeout = null, bool close = false)
    {
        using UnixListener listener = UnixListener.Bind(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var server = new Thread(() =>
        {
            _ = Poll.WaitReadable(listener.File, null, ServedDevice.Timeout);
            _socket = listener.TryAccept()!;
            _ = _socket.Receive(new byte[4096], [], wait: true);
            foreach ((byte[] bytes, FileDescriptor[] descriptors) in answers.Where(answer => answer.Bytes.Length > 0))
            {
                _ = _socket.Send(bytes, descriptors, wait: true);
            }

            if (close)
            {
                _socket.Dispose();
            }
        });
        server.Start();
        try
        {
            return VfioUserClient.Connect(Path, timeout ?? ServedDevice.Timeout);
        }
        finally
        {
            server.Join();
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc")]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport("libc")]
    private static partial int fcntl(int fd, int command, int argument);
}
