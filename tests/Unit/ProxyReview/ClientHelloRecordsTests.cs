using System.Buffers;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.ProxyReview;

public class ClientHelloRecordsTests
{
    [Fact]
    public void A_hello_cut_into_as_many_records_as_allowed_is_complete() =>
        Assert.Equal(ClientHelloState.Complete, Inspect(Hello(bodyBytes: 60), bytesPerRecord: 1));

    [Fact]
    public void A_hello_cut_into_one_record_more_is_too_long() =>
        Assert.Equal(ClientHelloState.TooLong, Inspect(Hello(bodyBytes: 61), bytesPerRecord: 1));

    [Fact]
    public void A_hello_that_is_not_whole_after_64_records_is_refused_without_waiting_for_more() =>
        Assert.Equal(ClientHelloState.TooLong, Inspect(Hello(bodyBytes: 60_000)[..64], bytesPerRecord: 1));

    [Fact]
    public void A_hello_of_the_greatest_length_in_the_greatest_records_is_complete() =>
        Assert.Equal(ClientHelloState.Complete, Inspect(Hello(bodyBytes: (64 * 1024) - 4), bytesPerRecord: 16 * 1024));

    [Fact]
    public void What_a_client_sends_after_its_hello_does_not_make_the_hello_too_long() =>
        Assert.Equal(ClientHelloState.Complete, ClientHello.Inspect(new ReadOnlySequence<byte>([.. Records(Hello(100), 104), .. new byte[200_000]])));

    private static ClientHelloState Inspect(byte[] message, int bytesPerRecord) =>
        ClientHello.Inspect(new ReadOnlySequence<byte>(Records(message, bytesPerRecord)));

    private static byte[] Hello(int bodyBytes) => [1, (byte)(bodyBytes >> 16), (byte)(bodyBytes >> 8), (byte)bodyBytes, .. new byte[bodyBytes]];

    private static byte[] Records(byte[] message, int bytesPerRecord) =>
        [.. message.Chunk(bytesPerRecord).SelectMany(body => (byte[])[22, 3, 1, (byte)(body.Length >> 8), (byte)body.Length, .. body])];
}
