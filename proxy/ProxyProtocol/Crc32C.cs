using System.Buffers.Binary;
using System.Numerics;

namespace WarpProxy.ProxyProtocol;

/// <summary>The checksum CRC32c (Castagnoli), reflected, as in RFC 4960 appendix B: <c>Finish(Append(Initial, data))</c>.</summary>
internal static class Crc32C
{
    /// <summary>Before the first byte.</summary>
    public const uint Initial = uint.MaxValue;

    /// <summary>Takes more bytes in.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        }

        foreach (byte value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return crc;
    }

    /// <summary>After the last byte.</summary>
    public static uint Finish(uint crc) => ~crc;
}
