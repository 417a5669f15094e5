using System.Buffers;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class ClientHelloTests
{
    // Record: handshake, TLS 1.0, 10 bytes. Handshake: ClientHello, 6 bytes.
    private static readonly byte[] OneRecord = [22, 3, 1, 0, 10, 1, 0, 0, 6, 3, 3, 0xAA, 0xBB, 0xCC, 0xDD];

    // The same message, cut inside its header: 2 and 8 bytes.
    private static readonly byte[] TwoRecords = [22, 3, 1, 0, 2, 1, 0, 22, 3, 3, 0, 8, 0, 6, 3, 3, 0xAA, 0xBB, 0xCC, 0xDD];

    [Fact]
    public void Whole_ClientHello_in_one_record_is_complete() => Assert.Equal(ClientHelloState.Complete, Inspect(OneRecord));

    [Fact]
    public void Whole_ClientHello_over_two_records_is_complete() => Assert.Equal(ClientHelloState.Complete, Inspect(TwoRecords));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_proper_beginning_is_incomplete(bool twoRecords)
    {
        byte[] bytes = twoRecords ? TwoRecords : OneRecord;
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal((length, ClientHelloState.Incomplete), (length, Inspect(bytes[..length])));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Segments_may_be_cut_at_every_byte(bool twoRecords)
    {
        byte[] bytes = twoRecords ? TwoRecords : OneRecord;
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal((cut, ClientHelloState.Complete), (cut, ClientHello.Inspect(Segments(bytes[..cut], bytes[cut..]))));
        }

        Assert.Equal(ClientHelloState.Complete, ClientHello.Inspect(Segments([.. bytes.Select(value => new[] { value })])));
    }

    [Fact]
    public void Bytes_after_the_ClientHello_do_not_matter() => Assert.Equal(ClientHelloState.Complete, Inspect([.. OneRecord, 23, 1, 2]));

    [Theory]
    [InlineData(new byte[] { (byte)'G' })]                              // an HTTP request
    [InlineData(new byte[] { 22, 2 })]                                  // no version of TLS
    [InlineData(new byte[] { 0x80 })]                                   // SSL 2
    [InlineData(new byte[] { 21 })]                                     // an alert
    [InlineData(new byte[] { 22, 3, 1, 0, 0 })]                         // an empty record
    [InlineData(new byte[] { 22, 3, 1, 0x40, 1 })]                      // a record of 16385 bytes
    [InlineData(new byte[] { 22, 3, 1, 0, 4, 2 })]                      // a ServerHello
    [InlineData(new byte[] { 22, 3, 1, 0, 1, 1, 23 })]                  // application data inside the ClientHello
    [InlineData(new byte[] { 22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 0 })]      // an empty record inside it
    public void What_is_no_ClientHello_is_told_at_the_first_wrong_byte(byte[] bytes)
    {
        Assert.Equal(ClientHelloState.NotTls, Inspect(bytes));
        Assert.NotEqual(ClientHelloState.NotTls, Inspect(bytes[..^1]));
    }

    [Theory]
    [InlineData(0x00FFFC, false)]       // 65536 with its header
    [InlineData(0x00FFFD, true)]
    [InlineData(0xFFFFFF, true)]
    public void Length_announced_is_bounded_before_the_bytes_come(int length, bool isTooLong) => Assert.Equal(
        isTooLong ? ClientHelloState.TooLong : ClientHelloState.Incomplete,
        Inspect([22, 3, 1, 0x40, 0, 1, (byte)(length >> 16), (byte)(length >> 8), (byte)length]));

    [Fact]
    public void Longest_ClientHello_over_five_records_is_complete()
    {
        byte[] message = new byte[ClientHello.MaxBytes];
        message[0] = 1;
        message[2] = 0xFF;
        message[3] = 0xFC;
        List<byte> bytes = [];
        foreach (byte[] part in message.Chunk(16 * 1024 - 1))
        {
            bytes.AddRange([22, 3, 3, (byte)(part.Length >> 8), (byte)part.Length, .. part]);
        }

        Assert.Equal(ClientHelloState.Complete, Inspect([.. bytes]));
        Assert.Equal(ClientHelloState.Incomplete, Inspect([.. bytes[..^1]]));
    }

    [Fact]
    public void ClientHello_cut_into_records_of_one_byte_is_too_long_before_it_fills_the_memory()
    {
        byte[] record = [22, 3, 3, 0, 1, 0];
        byte[] start = [22, 3, 3, 0, 4, 1, 0, 0xFF, 0xFC];
        byte[] bytes = [.. start, .. Enumerable.Repeat(record, ClientHello.MaxBytes / 2).SelectMany(one => one)];
        Assert.Equal(ClientHelloState.TooLong, Inspect(bytes));
    }

    private static ClientHelloState Inspect(byte[] bytes) => ClientHello.Inspect(new ReadOnlySequence<byte>(bytes));

    private static ReadOnlySequence<byte> Segments(params byte[][] parts)
    {
        Segment first = new(parts[0], null);
        Segment last = parts[1..].Aggregate(first, (previous, part) => new Segment(part, previous));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
