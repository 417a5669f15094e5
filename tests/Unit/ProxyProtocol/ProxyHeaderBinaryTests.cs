using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.ProxyProtocol;

public sealed class ProxyHeaderBinaryTests
{
    private static readonly byte[] Signature = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    // 192.0.2.1:56324 to 198.51.100.7:443
    private static readonly byte[] IPv4Block = [192, 0, 2, 1, 198, 51, 100, 7, 0xDC, 0x04, 0x01, 0xBB];

    // [2001:db8::1]:1 to [2001:db8::2]:65535
    private static readonly byte[] IPv6Block =
    [
        0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
        0, 1, 0xFF, 0xFF,
    ];

    private static readonly byte[] MappedBlock =
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 198, 51, 100, 7,
        0xDC, 0x04, 0x01, 0xBB,
    ];

    [Fact]
    public void IPv4_tells_both_addresses() => AssertProxied("192.0.2.1:56324", "198.51.100.7:443", Header(0x21, 0x11, IPv4Block));

    [Fact]
    public void IPv6_tells_both_addresses() => AssertProxied("[2001:db8::1]:1", "[2001:db8::2]:65535", Header(0x21, 0x21, IPv6Block));

    [Fact]
    public void IPv4_in_IPv6_is_told_as_IPv4() => AssertProxied("192.0.2.1:56324", "198.51.100.7:443", Header(0x21, 0x21, MappedBlock));

    [Fact]
    public void Values_behind_the_addresses_are_passed_over() => AssertProxied(
        "192.0.2.1:56324", "198.51.100.7:443",
        Header(0x21, 0x11, [.. IPv4Block, .. Value(0x01, 2), .. Value(0x02, 200), .. Value(0x04, 0), .. Value(0xEA, 4000), .. Value(0xFF, 1)]));

    [Theory]
    [InlineData(0x20, 0x00, 0)]         // LOCAL
    [InlineData(0x20, 0x00, 7)]
    [InlineData(0x20, 0x11, 12)]
    [InlineData(0x20, 0x11, 0)]         // its family is ignored, also where it would need addresses
    [InlineData(0x20, 0xFF, 1)]
    [InlineData(0x21, 0x00, 0)]         // PROXY of an unspecified family
    [InlineData(0x21, 0x01, 5)]
    [InlineData(0x21, 0x12, 12)]        // datagrams
    [InlineData(0x21, 0x22, 36)]
    [InlineData(0x21, 0x10, 12)]        // of an unspecified transport
    [InlineData(0x21, 0x31, 216)]       // Unix
    [InlineData(0x21, 0x32, 216)]
    public void Header_without_addresses_of_TCP_is_local_and_skipped_whole(byte command, byte family, int blockBytes)
    {
        byte[] header = Header(command, family, new byte[blockBytes]);
        ProxyHeader read = Read([.. header, 1, 2, 3]);
        Assert.Equal(ProxyHeaderState.Local, read.State);
        Assert.Equal(header.Length, read.Length);
        Assert.Null(read.Client);
    }

    [Fact]
    public void Every_proper_beginning_is_incomplete()
    {
        byte[] header = Header(0x21, 0x21, [.. IPv6Block, .. Value(0x04, 9)]);
        for (int length = 0; length < header.Length; length++)
        {
            Assert.Equal((length, ProxyHeaderState.Incomplete), (length, Read(header[..length]).State));
        }
    }

    [Fact]
    public void Header_may_be_cut_into_segments_at_every_byte()
    {
        byte[] header = WithChecksum(Header(0x21, 0x21, [.. IPv6Block, .. Value(0x04, 9), .. Value(0x03, 4)]));
        byte[] bytes = [.. header, 22, 3, 1];
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Read(header), ProxyHeader.Read(HelloBytes.Segments(bytes, cut)));
        }

        Assert.Equal(Read(header), ProxyHeader.Read(HelloBytes.Segments(bytes, [.. Enumerable.Range(1, bytes.Length - 1)])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(100)]
    public void Checksum_that_is_right_is_taken(int valueBytesBefore) => AssertProxied(
        "192.0.2.1:56324", "198.51.100.7:443",
        WithChecksum(Header(0x21, 0x11, [.. IPv4Block, .. Value(0x02, valueBytesBefore), .. Value(0x03, 4), .. Value(0x04, 5)])));

    [Fact]
    public void Header_with_a_flipped_bit_fails_its_checksum()
    {
        byte[] header = WithChecksum(Header(0x21, 0x11, [.. IPv4Block, .. Value(0x04, 1), .. Value(0x03, 4)]));
        foreach (int at in new[] { 16, 19, 20, 27, 31, 35, 38 })
        {
            byte[] changed = [.. header];
            changed[at] ^= 1;
            Assert.Equal((at, ProxyHeaderState.Malformed), (at, Read(changed).State));
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(0)]
    public void Checksum_of_another_length_is_malformed(int bytes) =>
        Assert.Equal(ProxyHeaderState.Malformed, Read(Header(0x21, 0x11, [.. IPv4Block, .. Value(0x03, bytes)])).State);

    [Fact]
    public void Two_checksums_are_malformed()
    {
        byte[] header = WithChecksum(Header(0x21, 0x11, [.. IPv4Block, .. Value(0x03, 4), .. Value(0x03, 4)]));
        Assert.Equal(ProxyHeaderState.Malformed, Read(header).State);
    }

    [Theory]
    [InlineData(0x31)]
    [InlineData(0x11)]
    [InlineData(0x01)]
    [InlineData(0x22)]
    [InlineData(0x2F)]
    public void Another_version_or_command_is_malformed_at_its_byte(byte command)
    {
        Assert.Equal(ProxyHeaderState.Malformed, Read([.. Signature, command]).State);
        Assert.Equal(ProxyHeaderState.Malformed, Read(Header(command, 0x11, IPv4Block)).State);
    }

    [Theory]
    [InlineData(0x41)]
    [InlineData(0xF1)]
    [InlineData(0x13)]
    [InlineData(0x1F)]
    public void Family_or_transport_that_is_not_assigned_is_malformed(byte family) =>
        Assert.Equal(ProxyHeaderState.Malformed, Read([.. Signature, 0x21, family]).State);

    [Theory]
    [InlineData(0x11, 0)]
    [InlineData(0x11, 11)]
    [InlineData(0x12, 11)]
    [InlineData(0x21, 12)]
    [InlineData(0x21, 35)]
    [InlineData(0x31, 215)]
    public void Block_that_is_too_short_for_its_family_is_malformed(byte family, int bytes) =>
        Assert.Equal(ProxyHeaderState.Malformed, Read(Header(0x21, family, new byte[bytes])).State);

    [Theory]
    [InlineData(new byte[] { 4 })]
    [InlineData(new byte[] { 4, 0 })]
    [InlineData(new byte[] { 4, 0, 1 })]
    [InlineData(new byte[] { 4, 0, 0, 4 })]
    [InlineData(new byte[] { 4, 0xFF, 0xFF, 0, 0, 0 })]
    [InlineData(new byte[] { 3, 0, 4, 0, 0, 0 })]
    public void Values_that_do_not_end_with_the_header_are_malformed(byte[] values)
    {
        Assert.Equal(ProxyHeaderState.Malformed, Read(Header(0x21, 0x11, [.. IPv4Block, .. values])).State);
        Assert.Equal(ProxyHeaderState.Malformed, Read([.. Header(0x21, 0x21, [.. IPv6Block, .. values]), 1, 2, 3, 4, 5, 6, 7, 8]).State);
    }

    [Fact]
    public void Signature_is_told_wrong_at_its_first_wrong_byte()
    {
        for (int i = 0; i < Signature.Length; i++)
        {
            byte[] wrong = [.. Signature[..i], (byte)(Signature[i] ^ 0x80)];
            Assert.Equal((i, ProxyHeaderState.Malformed), (i, Read(wrong).State));
        }
    }

    [Fact]
    public void Length_is_bounded_before_the_bytes_come()
    {
        int most = ProxyHeader.MaxBytes - ProxyHeaderBinary.PrefixBytes;
        Assert.Equal(ProxyHeaderState.Incomplete, Read([.. Signature, 0x21, 0x11, (byte)(most >> 8), (byte)most]).State);
        Assert.Equal(ProxyHeaderState.Malformed, Read([.. Signature, 0x21, 0x11, (byte)((most + 1) >> 8), (byte)(most + 1)]).State);
        Assert.Equal(ProxyHeaderState.Malformed, Read([.. Signature, 0x20, 0x00, 0xFF, 0xFF]).State);
        AssertProxied("192.0.2.1:56324", "198.51.100.7:443", Header(0x21, 0x11, [.. IPv4Block, .. Value(0x04, most - IPv4Block.Length - 3)]));
    }

    [Fact]
    public void Header_is_written_as_it_is_read()
    {
        Assert.Equal(Header(0x21, 0x11, IPv4Block), Write("192.0.2.1:56324", "198.51.100.7:443"));
        Assert.Equal(Header(0x21, 0x11, IPv4Block), Write("[::ffff:192.0.2.1]:56324", "198.51.100.7:443"));
        Assert.Equal(Header(0x21, 0x21, IPv6Block), Write("[2001:db8::1]:1", "[2001:db8::2]:65535"));
    }

    [Fact]
    public void Addresses_of_both_families_are_written_as_IPv6()
    {
        byte[] header = Write("[2001:db8::1]:1", "198.51.100.7:443");
        Assert.Equal(Header(0x21, 0x21, [.. IPv6Block[..16], .. MappedBlock[16..32], 0, 1, 0x01, 0xBB]), header);
        AssertProxied("[2001:db8::1]:1", "198.51.100.7:443", header);
    }

    private static byte[] Write(string client, string server)
    {
        var output = new ArrayBufferWriter<byte>();
        ProxyHeaderBinary.Write(output, IPEndPoint.Parse(client), IPEndPoint.Parse(server));
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Header(byte command, byte family, byte[] block) =>
        [.. Signature, command, family, (byte)(block.Length >> 8), (byte)block.Length, .. block];

    private static byte[] Value(byte type, int bytes) => [type, (byte)(bytes >> 8), (byte)bytes, .. new byte[bytes]];

    /// <summary>Fills in the first checksum, whose place is zero, as section 2.2.3 says: bit by bit here.</summary>
    private static byte[] WithChecksum(byte[] header)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in header)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
            }
        }

        byte[] result = [.. header];
        BinaryPrimitives.WriteUInt32BigEndian(result.AsSpan(header.AsSpan().IndexOf<byte>([3, 0, 4, 0, 0, 0, 0]) + 3), ~crc);
        return result;
    }

    private static void AssertProxied(string client, string server, byte[] bytes)
    {
        ProxyHeader header = Read([.. bytes, 9, 9]);
        Assert.Equal(ProxyHeaderState.Proxied, header.State);
        Assert.Equal(bytes.Length, header.Length);
        Assert.Equal(client, header.Client!.ToString());
        Assert.Equal(server, header.Server!.ToString());
    }

    private static ProxyHeader Read(byte[] bytes) => ProxyHeader.Read(new ReadOnlySequence<byte>(bytes));
}
