using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Fuzzing;

/// <summary>PROXY protocol headers, right and damaged, in any fragmentation.</summary>
public sealed class ProxyHeaderFuzzTests
{
    private const int InputsForEveryone = 5_000;

    [Fact]
    public void Headers_are_read_alike_however_they_are_cut_and_right_ones_say_what_was_written()
    {
        int inputs = int.TryParse(Environment.GetEnvironmentVariable("WARP_FUZZ_INPUTS"), CultureInfo.InvariantCulture, out int given) ? given : InputsForEveryone;
        for (int seed = 1; seed <= inputs; seed++)
        {
            var random = new Random(seed);
            var generator = new HelloGenerator(seed);
            bool isDamaged = random.Next(2) == 0;
            (byte[] header, IPEndPoint client, IPEndPoint server) = Header(random);
            byte[] bytes = [.. header, .. new byte[random.Next(3) == 0 ? 17_000 : random.Next(30)]];
            for (int i = 0; isDamaged && i < random.Next(1, 4); i++)
            {
                bytes[random.Next(Math.Min(bytes.Length, header.Length))] = (byte)random.Next(256);
            }

            ProxyHeader whole = ProxyHeader.Read(new ReadOnlySequence<byte>(bytes));
            Assert.True(isDamaged || whole == new ProxyHeader(ProxyHeaderState.Proxied, header.Length, client, server), $"seed {seed}: {whole}");
            Assert.True(whole.State != ProxyHeaderState.Incomplete || bytes.Length < ProxyHeader.MaxBytes, $"seed {seed} waits after {bytes.Length} bytes");
            Assert.True(whole.Length <= Math.Min(bytes.Length, ProxyHeader.MaxBytes), $"seed {seed}: {whole}");
            for (int i = 0; i < 5; i++)
            {
                int length = i == 0 ? bytes.Length : random.Next(Math.Min(bytes.Length, header.Length + 20) + 1);
                ProxyHeader contiguous = ProxyHeader.Read(new ReadOnlySequence<byte>(bytes, 0, length));
                ProxyHeader segmented = ProxyHeader.Read(HelloBytes.Segments(bytes[..length], generator.Cuts(length)));
                Assert.True(contiguous == segmented, $"seed {seed}, {length} bytes: {contiguous} and {segmented}");

                // What was said of a beginning is not taken back.
                Assert.True(contiguous.State == ProxyHeaderState.Incomplete || contiguous == whole, $"seed {seed}, {length} bytes: {contiguous}, then {whole}");
            }
        }
    }

    private static (byte[] Bytes, IPEndPoint Client, IPEndPoint Server) Header(Random random)
    {
        bool isIPv6 = random.Next(2) == 0;
        IPEndPoint client = EndPoint(random, isIPv6);
        IPEndPoint server = EndPoint(random, isIPv6);
        if (random.Next(2) == 0)
        {
            string line = $"PROXY TCP{(isIPv6 ? 6 : 4)} {client.Address} {server.Address} {client.Port} {server.Port}\r\n";
            return (Encoding.ASCII.GetBytes(line), client, server);
        }

        byte[] ports = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)client.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ports.AsSpan(2), (ushort)server.Port);
        byte[] value = new byte[random.Next(4) == 0 ? random.Next(300) : 0];
        random.NextBytes(value);

        // A value of a type that nobody has defined.
        byte[] values = value.Length == 0 ? [] : [0xe5, .. HelloBytes.Length(value.Length), .. value];
        byte[] body = [.. client.Address.GetAddressBytes(), .. server.Address.GetAddressBytes(), .. ports, .. values];
        return ([.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, (byte)(isIPv6 ? 0x21 : 0x11), .. HelloBytes.Length(body.Length), .. body], client, server);
    }

    private static IPEndPoint EndPoint(Random random, bool isIPv6)
    {
        byte[] address = new byte[isIPv6 ? 16 : 4];
        random.NextBytes(address);
        address[0] = (byte)(isIPv6 ? 0x20 : 10);
        return new IPEndPoint(new IPAddress(address), random.Next(1, 65536));
    }
}
