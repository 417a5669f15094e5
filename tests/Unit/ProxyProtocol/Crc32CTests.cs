using System.Text;
using WarpProxy.ProxyProtocol;

namespace WarpProxy.Tests.Unit.ProxyProtocol;

public sealed class Crc32CTests
{
    [Theory]
    [InlineData("", 0u)]
    [InlineData("a", 0xC1D04330u)]
    [InlineData("123456789", 0xE3069283u)]      // the check value of the algorithm
    public void Text_has_its_known_checksum(string text, uint checksum) => Assert.Equal(checksum, Compute(Encoding.ASCII.GetBytes(text)));

    // RFC 3720 B.4, whose bytes are in the order of the wire.
    [Fact]
    public void Vectors_of_RFC_3720_are_met()
    {
        Assert.Equal(0x8A9136AAu, Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Compute([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, Compute([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0x113FDB5Cu, Compute([.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))]));
    }

    [Fact]
    public void Pieces_make_the_same_checksum_as_the_whole()
    {
        byte[] data = [.. Enumerable.Range(0, 100).Select(i => (byte)(i * 7))];
        for (int cut = 0; cut <= data.Length; cut++)
        {
            Assert.Equal(Compute(data), Crc32C.Finish(Crc32C.Append(Crc32C.Append(Crc32C.Initial, data.AsSpan(0, cut)), data.AsSpan(cut))));
        }
    }

    private static uint Compute(byte[] data) => Crc32C.Finish(Crc32C.Append(Crc32C.Initial, data));
}
