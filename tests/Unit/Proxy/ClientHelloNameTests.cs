using System.Buffers;
using WarpProxy.Tls;
using static WarpProxy.Tests.Unit.Proxy.HelloBytes;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class ClientHelloNameTests
{
    [Fact]
    public void Name_is_read_from_bytes_written_by_hand()
    {
        byte[] hello =
        [
            22, 3, 1, 0, 61,                                            // record: handshake, 61 bytes
            1, 0, 0, 57,                                                // ClientHello, 57 bytes
            3, 3, .. Enumerable.Range(0, 32).Select(i => (byte)i),      // version, random
            0,                                                          // no session
            0, 2, 0x13, 1,                                              // one suite
            1, 0,                                                       // no compression
            0, 14,                                                      // extensions
            0, 0, 0, 10, 0, 8, 0, 0, 5, (byte)'a', (byte)'.', (byte)'b', (byte)'c', (byte)'d',
        ];
        hello[4] = (byte)(hello.Length - 5);
        hello[8] = (byte)(hello.Length - 9);
        AssertNamed("a.bcd", new ReadOnlySequence<byte>(hello));
    }

    [Theory]
    [InlineData("shop.example", "shop.example")]
    [InlineData("SHOP.Example", "shop.example")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("_service.a-b.example", "_service.a-b.example")]
    [InlineData("localhost", "localhost")]
    [InlineData("shop.example.", "shop.example")]   // RFC 6066 3 wants no dot there; the host is the same
    [InlineData("192.0.2.1", "192.0.2.1")]      // not allowed by RFC 6066, but a name no certificate has is harm enough
    public void Name_comes_in_lower_case(string sent, string read) => AssertNamed(read, Whole(Message(Versions, ServerName(sent), Versions[..0])));

    [Fact]
    public void Name_may_be_cut_into_segments_at_every_byte()
    {
        byte[] hello = Records(Message(Versions, ServerName("shop.example"), Versions));
        for (int cut = 0; cut <= hello.Length; cut++)
        {
            AssertNamed("shop.example", Segments(hello, cut));
        }

        AssertNamed("shop.example", Segments(hello, [.. Enumerable.Range(1, hello.Length - 1)]));
    }

    [Fact]
    public void Name_may_be_cut_into_records_of_every_length()
    {
        byte[] message = Message(Versions, ServerName("shop.example"), Versions);
        for (int length = 1; length <= message.Length; length++)
        {
            AssertNamed("shop.example", new ReadOnlySequence<byte>(Records(message, length)));
        }
    }

    [Fact]
    public void Name_is_found_behind_extensions_of_many_kilobytes()
    {
        byte[] keyShare = [0, 51, .. Length(30_000), .. new byte[30_000]];
        AssertNamed("shop.example", new ReadOnlySequence<byte>(Records(Message(keyShare, ServerName("shop.example")), 5000)));
    }

    [Fact]
    public void What_follows_the_ClientHello_is_not_looked_at() =>
        AssertNamed("shop.example", new ReadOnlySequence<byte>([.. Records(Message(ServerName("shop.example"))), 23, 9, 9, 9]));

    [Fact]
    public void Longest_name_and_label_are_read()
    {
        string name = string.Join('.', Enumerable.Repeat(new string('a', 63), 3)) + "." + new string('b', 61);
        Assert.Equal(ClientHelloName.MaxLength, name.Length);
        AssertNamed(name, Whole(Message(ServerName(name))));
        AssertNamed(name, Whole(Message(ServerName(name + "."))));
        AssertState(ClientHelloNameState.Unusable, Message(ServerName(name + "..")));
    }

    [Fact]
    public void ClientHello_without_the_extension_has_no_name() => AssertState(ClientHelloNameState.None, Message(Versions));

    [Fact]
    public void ClientHello_with_an_empty_list_of_extensions_has_no_name() => AssertState(ClientHelloNameState.None, Message());

    [Fact]
    public void ClientHello_of_old_without_extensions_has_no_name() => AssertState(ClientHelloNameState.None, WithHeader(Beginning()));

    [Fact]
    public void ClientHello_with_a_session_and_many_suites_is_passed_over()
    {
        byte[] name = ServerName("shop.example");
        byte[] body = [3, 3, .. new byte[32], 32, .. new byte[32], .. Length(400), .. new byte[400], 2, 1, 0, .. Length(name.Length), .. name];
        AssertNamed("shop.example", Whole(WithHeader(body)));
    }

    [Theory]
    [InlineData("shop.example..")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData(".example")]
    [InlineData("shop..example")]
    [InlineData("shop example")]
    [InlineData("shop\0.example")]
    [InlineData("shop\r\nX: y")]
    [InlineData("b\u00FCcher.example")]
    [InlineData("*.example")]
    [InlineData("2001:db8::1")]
    [InlineData("shop.example:443")]
    public void Name_that_no_host_can_have_is_unusable(string name) => AssertState(ClientHelloNameState.Unusable, Message(ServerName(name)));

    [Theory]
    [InlineData(64, 1)]
    [InlineData(63, 4)]     // 255 characters
    [InlineData(60, 1000)]
    public void Name_or_label_that_is_too_long_is_unusable(int labelLength, int labels) => AssertState(
        ClientHelloNameState.Unusable, Message(ServerName(string.Join('.', Enumerable.Repeat(new string('a', labelLength), labels)))));

    [Fact]
    public void Two_extensions_server_name_are_malformed() =>
        AssertState(ClientHelloNameState.Malformed, Message(ServerName("a.example"), ServerName("b.example")));

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0 })]                                         // no list
    [InlineData(new byte[] { 0, 0, 0, 2, 0, 0 })]                                   // an empty list
    [InlineData(new byte[] { 0, 0, 0, 5, 0, 3, 0, 0, 0 })]                          // an empty name
    [InlineData(new byte[] { 0, 0, 0, 6, 0, 4, 1, 0, 1, 97 })]                      // a name of another type
    [InlineData(new byte[] { 0, 0, 0, 6, 0, 5, 0, 0, 1, 97 })]                      // the list longer than the extension
    [InlineData(new byte[] { 0, 0, 0, 6, 0, 3, 0, 0, 1, 97 })]                      // shorter
    [InlineData(new byte[] { 0, 0, 0, 6, 0, 4, 0, 0, 2, 97 })]                      // the name longer than the list
    [InlineData(new byte[] { 0, 0, 0, 7, 0, 5, 0, 0, 1, 97, 98 })]                  // shorter
    [InlineData(new byte[] { 0, 0, 0, 10, 0, 8, 0, 0, 1, 97, 0, 0, 1, 98 })]        // two names
    [InlineData(new byte[] { 0, 0, 0, 7, 0, 4, 0, 0, 1, 97 })]                      // the extension longer than the message
    [InlineData(new byte[] { 0, 0, 0 })]                                            // cut in its header
    [InlineData(new byte[] { 0, 43, 0xFF, 0xFF, 1 })]                               // another extension longer than the message
    public void Lengths_that_do_not_fit_are_malformed(byte[] extension)
    {
        AssertState(ClientHelloNameState.Malformed, Message(extension));
        AssertState(ClientHelloNameState.Malformed, Message(Versions, extension));
    }

    [Fact]
    public void Damage_behind_the_name_is_malformed_too() =>
        AssertState(ClientHelloNameState.Malformed, Message(ServerName("shop.example"), [0, 43, 0, 9, 1]));

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void Length_of_the_extensions_must_be_the_rest(int wrongBy)
    {
        byte[] name = ServerName("shop.example");
        AssertState(ClientHelloNameState.Malformed, WithHeader([.. Beginning(), .. Length(name.Length + wrongBy), .. name]));
    }

    [Theory]
    [InlineData(34, 33)]        // session of 33 bytes
    [InlineData(34, 255)]
    [InlineData(36, 0)]         // no suite
    [InlineData(36, 3)]         // half a suite
    [InlineData(39, 0)]         // no compression method, not even none
    public void Wrong_lengths_before_the_extensions_are_malformed(int at, byte value)
    {
        byte[] body = [.. Beginning(), .. Length(0)];
        body[at] = value;
        AssertState(ClientHelloNameState.Malformed, WithHeader(body));
    }

    [Fact]
    public void Message_cut_anywhere_is_malformed_or_has_no_name()
    {
        byte[] body = Message(ServerName("shop.example"), Versions)[4..];
        for (int length = 0; length < body.Length; length++)
        {
            ClientHelloNameState expected = length == Beginning().Length ? ClientHelloNameState.None : ClientHelloNameState.Malformed;
            Assert.Equal((length, expected), (length, ClientHelloName.Read(Whole(WithHeader(body[..length])), out _)));
        }
    }

    [Fact]
    public void Bytes_that_are_not_there_are_malformed_and_nothing_more()
    {
        byte[] hello = Records(Message(ServerName("shop.example"), Versions));
        for (int length = 0; length < hello.Length; length++)
        {
            Assert.Equal(ClientHelloNameState.Malformed, ClientHelloName.Read(new ReadOnlySequence<byte>(hello, 0, length), out _));
        }
    }

    [Fact]
    public void Reading_allocates_the_name_alone()
    {
        ReadOnlySequence<byte> hello = Segments(Records(Message(Versions, ServerName("shop.example")), 7), 3, 20, 21);
        ClientHelloName.Read(hello, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ClientHelloName.Read(hello, out string? name);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal("shop.example", name);
        Assert.InRange(allocated, 1, 64);
    }

    private static ReadOnlySequence<byte> Whole(byte[] message) => new(Records(message));

    private static void AssertState(ClientHelloNameState expected, byte[] message)
    {
        Assert.Equal(expected, ClientHelloName.Read(Whole(message), out string? name));
        Assert.Null(name);
        Assert.Equal(expected, ClientHelloName.Read(new ReadOnlySequence<byte>(Records(message, 3)), out _));
    }

    private static void AssertNamed(string expected, in ReadOnlySequence<byte> hello)
    {
        Assert.Equal(ClientHelloNameState.Named, ClientHelloName.Read(hello, out string? name));
        Assert.Equal(expected, name);
    }
}
