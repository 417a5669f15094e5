using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace WarpProxy.ProxyProtocol;

/// <summary>
/// Version 1 of the PROXY protocol (section 2.1): one line of US-ASCII, at most 107 bytes with its end.
/// <code>
/// PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n      client's address, server's address, client's port, server's port
/// PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n
/// PROXY UNKNOWN anything\r\n
/// </code>
/// </summary>
internal static class ProxyHeaderText
{
    /// <summary>The longest line, its end included.</summary>
    public const int MaxBytes = 107;

    private const int Fields = 4;

    // Without the brackets, ports and zones that .NET would read as well.
    private static readonly SearchValues<byte> IPv6Characters = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private static ReadOnlySpan<byte> Start => "PROXY "u8;

    /// <summary>Looks at everything received so far; the first byte is a P.</summary>
    public static ProxyHeader Read(in ReadOnlySequence<byte> received)
    {
        Span<byte> buffer = stackalloc byte[MaxBytes];
        int count = (int)Math.Min(received.Length, MaxBytes);
        received.Slice(0, count).CopyTo(buffer);
        ReadOnlySpan<byte> line = buffer[..count];
        int begun = Math.Min(count, Start.Length);
        if (!line[..begun].SequenceEqual(Start[..begun]))
        {
            return ProxyHeader.Malformed;
        }

        // Neither a CR nor an LF may stand alone, so that whatever comes first has to be the end.
        int end = line.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0 || end == MaxBytes - 1)
        {
            return count < MaxBytes ? ProxyHeader.Incomplete : ProxyHeader.Malformed;
        }

        if (line[end] != '\r')
        {
            return ProxyHeader.Malformed;
        }

        if (end + 1 == count)
        {
            return ProxyHeader.Incomplete;
        }

        return line[end + 1] == '\n' ? ReadFields(line[Start.Length..end], end + 2) : ProxyHeader.Malformed;
    }

    private static ProxyHeader ReadFields(ReadOnlySpan<byte> line, int length)
    {
        if (line.SequenceEqual("UNKNOWN"u8) || line.StartsWith("UNKNOWN "u8))
        {
            return new ProxyHeader(ProxyHeaderState.Local, length);
        }

        AddressFamily family = line.StartsWith("TCP4 "u8) ? AddressFamily.InterNetwork
            : line.StartsWith("TCP6 "u8) ? AddressFamily.InterNetworkV6
            : AddressFamily.Unspecified;
        if (family == AddressFamily.Unspecified)
        {
            return ProxyHeader.Malformed;
        }

        Span<Range> fields = stackalloc Range[Fields + 1];
        line = line[5..];
        return Split(line, fields) == Fields
            && TryReadAddress(line[fields[0]], family, out IPAddress? client)
            && TryReadAddress(line[fields[1]], family, out IPAddress? server)
            && TryReadNumber(line[fields[2]], ushort.MaxValue, out int clientPort)
            && TryReadNumber(line[fields[3]], ushort.MaxValue, out int serverPort)
                ? ProxyHeader.Proxied(length, new IPEndPoint(client, clientPort), new IPEndPoint(server, serverPort))
                : ProxyHeader.Malformed;
    }

    /// <summary>Cuts at each space; two in a row have an empty field between them. Returns how many fields there are, as far as there is room.</summary>
    private static int Split(ReadOnlySpan<byte> line, Span<Range> fields)
    {
        int count = 0;
        foreach (Range field in line.Split((byte)' '))
        {
            fields[count++] = field;
            if (count == fields.Length)
            {
                break;
            }
        }

        return count;
    }

    private static bool TryReadAddress(ReadOnlySpan<byte> text, AddressFamily family, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        return family == AddressFamily.InterNetwork
            ? TryReadIPv4(text, out address)
            : !text.ContainsAnyExcept(IPv6Characters)
                && IPAddress.TryParse(text, out address)
                && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    // .NET reads 127.1, 0x7f.0.0.1 and 0177.0.0.1 as well; the protocol has four decimal numbers.
    private static bool TryReadIPv4(ReadOnlySpan<byte> text, out IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = 0;
        address = null;
        foreach (Range part in text.Split((byte)'.'))
        {
            if (count == bytes.Length || !TryReadNumber(text[part], byte.MaxValue, out int value))
            {
                return false;
            }

            bytes[count++] = (byte)value;
        }

        if (count == bytes.Length)
        {
            address = new IPAddress(bytes);
        }

        return address is not null;
    }

    /// <summary>Digits alone, without a zero in front.</summary>
    private static bool TryReadNumber(ReadOnlySpan<byte> text, int maximum, out int value)
    {
        value = 0;
        if (text.Length is 0 or > 5 || (text.Length > 1 && text[0] == '0'))
        {
            return false;
        }

        foreach (byte digit in text)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }

            value = (value * 10) + (digit - '0');
        }

        return value <= maximum;
    }
}
