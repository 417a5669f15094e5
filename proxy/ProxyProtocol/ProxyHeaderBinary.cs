using System.Buffers;
using System.Buffers.Binary;
using System.Net;

namespace WarpProxy.ProxyProtocol;

/// <summary>
/// Version 2 of the PROXY protocol (section 2.2); all numbers big-endian:
/// <code>
///  0  u8[12]  signature
/// 12  u8      version 7:4 = 2, command 3:0: 0 LOCAL, 1 PROXY
/// 13  u8      family 7:4: 0 unspecified, 1 IPv4, 2 IPv6, 3 Unix; transport 3:0: 0 unspecified, 1 stream, 2 datagram
/// 14  u16     length of what follows
/// 16          IPv4 (12 bytes), IPv6 (36): client's address, server's address, u16 client's port, u16 server's port; Unix (216)
///             then any number of: u8 type, u16 length, value
/// </code>
/// </summary>
internal static class ProxyHeaderBinary
{
    /// <summary>Bytes before the addresses.</summary>
    public const int PrefixBytes = 16;

    private const int LengthOffset = 14;
    private const int VersionOffset = 12;
    private const int FamilyOffset = 13;
    private const int Version = 2;
    private const int LocalCommand = 0;
    private const int ProxyCommand = 1;
    private const int Unspecified = 0;
    private const int IPv4 = 1;
    private const int IPv6 = 2;
    private const int Unix = 3;
    private const int Stream = 1;
    private const int Datagram = 2;
    private const int IPv4Bytes = 4;
    private const int IPv6Bytes = 16;
    private const int UnixBlockBytes = 216;
    private const int PortsBytes = 4;
    private const int ValueHeaderBytes = 3;
    private const byte Crc32CType = 0x03;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Looks at everything received so far.</summary>
    public static ProxyHeader Read(in ReadOnlySequence<byte> received)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        int count = (int)Math.Min(received.Length, PrefixBytes);
        received.Slice(0, count).CopyTo(prefix);
        if (!IsPrefix(prefix[..count]))
        {
            return ProxyHeader.Malformed;
        }

        if (count < PrefixBytes)
        {
            return ProxyHeader.Incomplete;
        }

        int length = PrefixBytes + BinaryPrimitives.ReadUInt16BigEndian(prefix[LengthOffset..]);
        return length > ProxyHeader.MaxBytes ? ProxyHeader.Malformed
            : received.Length < length ? ProxyHeader.Incomplete
            : received.FirstSpan.Length >= length ? ReadWhole(received.FirstSpan[..length])
            : ReadCopy(received.Slice(0, length));
    }

    /// <summary>Writes a header of the command PROXY; both addresses become IPv6 where one is.</summary>
    public static void Write(IBufferWriter<byte> output, IPEndPoint client, IPEndPoint server)
    {
        bool isIPv4 = IsIPv4(client.Address) && IsIPv4(server.Address);
        int addressBytes = isIPv4 ? IPv4Bytes : IPv6Bytes;
        int length = PrefixBytes + (2 * addressBytes) + PortsBytes;
        Span<byte> header = output.GetSpan(length)[..length];
        Signature.CopyTo(header);
        header[VersionOffset] = (Version << 4) | ProxyCommand;
        header[FamilyOffset] = (byte)(((isIPv4 ? IPv4 : IPv6) << 4) | Stream);
        BinaryPrimitives.WriteUInt16BigEndian(header[LengthOffset..], (ushort)(length - PrefixBytes));
        Span<byte> block = header[PrefixBytes..];
        WriteAddress(client.Address, isIPv4, block);
        WriteAddress(server.Address, isIPv4, block[addressBytes..]);
        BinaryPrimitives.WriteUInt16BigEndian(block[(2 * addressBytes)..], (ushort)client.Port);
        BinaryPrimitives.WriteUInt16BigEndian(block[((2 * addressBytes) + 2)..], (ushort)server.Port);
        output.Advance(length);
    }

    private static bool IsIPv4(IPAddress address) =>
        address.IsIPv4MappedToIPv6 || address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;

    private static void WriteAddress(IPAddress address, bool isIPv4, Span<byte> destination) =>
        (isIPv4 ? address.MapToIPv4() : address.MapToIPv6()).TryWriteBytes(destination, out _);

    /// <summary>Whether the first bytes can begin a header, so that what is wrong is told at its first wrong byte.</summary>
    private static bool IsPrefix(ReadOnlySpan<byte> prefix)
    {
        int signed = Math.Min(prefix.Length, Signature.Length);
        if (!prefix[..signed].SequenceEqual(Signature[..signed]))
        {
            return false;
        }

        if (prefix.Length <= VersionOffset)
        {
            return true;
        }

        int command = prefix[VersionOffset] & 0xF;
        if (prefix[VersionOffset] >> 4 != Version || command is not (LocalCommand or ProxyCommand))
        {
            return false;
        }

        // The family of a LOCAL header is ignored.
        return command == LocalCommand || prefix.Length <= FamilyOffset || (prefix[FamilyOffset] >> 4 <= Unix && (prefix[FamilyOffset] & 0xF) <= Datagram);
    }

    private static ProxyHeader ReadCopy(in ReadOnlySequence<byte> received)
    {
        int length = (int)received.Length;
        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            received.CopyTo(rented);
            return ReadWhole(rented.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static ProxyHeader ReadWhole(ReadOnlySpan<byte> header)
    {
        int family = header[FamilyOffset] >> 4;
        int transport = header[FamilyOffset] & 0xF;
        var local = new ProxyHeader(ProxyHeaderState.Local, header.Length);
        if ((header[VersionOffset] & 0xF) == LocalCommand || family == Unspecified)
        {
            // The whole block is to be ignored: nothing says where addresses would end in it.
            return local;
        }

        int addressBytes = family == IPv4 ? IPv4Bytes : IPv6Bytes;
        int blockBytes = family == Unix ? UnixBlockBytes : (2 * addressBytes) + PortsBytes;
        if (header.Length < PrefixBytes + blockBytes || !AreValuesWhole(header, PrefixBytes + blockBytes))
        {
            return ProxyHeader.Malformed;
        }

        return family == Unix || transport != Stream ? local : ReadAddresses(header[PrefixBytes..], addressBytes, header.Length);
    }

    private static ProxyHeader ReadAddresses(ReadOnlySpan<byte> block, int addressBytes, int length)
    {
        ReadOnlySpan<byte> ports = block[(2 * addressBytes)..];
        return ProxyHeader.Proxied(
            length,
            new IPEndPoint(new IPAddress(block[..addressBytes]), BinaryPrimitives.ReadUInt16BigEndian(ports)),
            new IPEndPoint(new IPAddress(block[addressBytes..(2 * addressBytes)]), BinaryPrimitives.ReadUInt16BigEndian(ports[2..])));
    }

    /// <summary>Walks over the values behind the addresses: they must end with the header, and its checksum, if it has one, must be right.</summary>
    private static bool AreValuesWhole(ReadOnlySpan<byte> header, int offset)
    {
        bool hasChecksum = false;
        while (offset < header.Length)
        {
            if (header.Length - offset < ValueHeaderBytes)
            {
                return false;
            }

            byte type = header[offset];
            int valueBytes = BinaryPrimitives.ReadUInt16BigEndian(header[(offset + 1)..]);
            offset += ValueHeaderBytes;
            if (valueBytes > header.Length - offset)
            {
                return false;
            }

            if (type == Crc32CType)
            {
                // Two would each have to be zero while the other is computed; no sender has them.
                if (hasChecksum || valueBytes != sizeof(uint) || BinaryPrimitives.ReadUInt32BigEndian(header[offset..]) != Checksum(header, offset))
                {
                    return false;
                }

                hasChecksum = true;
            }

            offset += valueBytes;
        }

        return true;
    }

    /// <summary>CRC32c of the header (section 2.2.3, RFC 4960 appendix B) with zeros in the place of the checksum.</summary>
    private static uint Checksum(ReadOnlySpan<byte> header, int offset)
    {
        uint crc = Crc32C.Append(Crc32C.Initial, header[..offset]);
        crc = Crc32C.Append(crc, stackalloc byte[sizeof(uint)]);
        return Crc32C.Finish(Crc32C.Append(crc, header[(offset + sizeof(uint))..]));
    }
}
