using System.Buffers;
using System.Text;

namespace WarpProxy.Tls;

/// <summary>Whether a ClientHello names the server it is for.</summary>
internal enum ClientHelloNameState
{
    /// <summary>It does not: it has no extension server_name.</summary>
    None,

    /// <summary>It does.</summary>
    Named,

    /// <summary>It is framed well, but what it names cannot be a host: too long, a character no host has, an empty label.</summary>
    Unusable,

    /// <summary>Its lengths do not fit together, or it has two names. OpenSSL answers such a ClientHello with the alert decode_error.</summary>
    Malformed,
}

/// <summary>
/// Reads the server name (SNI) out of a ClientHello that is buffered whole, however it is cut into records and segments.
/// <code>
/// ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2)
///   u8 type = 1, u24 length
///   u16 legacy_version, u8[32] random, session_id u8-length (0..32), cipher_suites u16-length (2.., even),
///   compression_methods u8-length (1..), and if any byte is left: extensions u16-length, each u16 type, data u16-length
/// server_name (RFC 6066 3), type 0
///   list u16-length of: u8 name_type = 0 (host_name), name u16-length (1..)
/// </code>
/// With Encrypted ClientHello (RFC 9849) this is the name of the outer ClientHello: the only one that can be read without its key.
/// </summary>
internal static class ClientHelloName
{
    /// <summary>The longest name of a host, in characters (RFC 1035 2.3.4, without the length octets).</summary>
    public const int MaxLength = 253;

    private const int MaxLabelLength = 63;
    private const int RandomBytes = 32;
    private const int MaxSessionIdBytes = 32;
    private const byte ClientHelloMessage = 1;
    private const byte HostName = 0;
    private const ushort ServerNameExtension = 0;

    // RFC 1123 2.1, and the underscore, which names in use have. Labels of IDNA are ASCII here.
    private static readonly SearchValues<byte> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."u8);

    /// <summary>Reads the name. Nothing is allocated but the string.</summary>
    /// <param name="received">From the first byte of the connection; <see cref="ClientHello.Inspect"/> has said that it is complete.</param>
    /// <param name="name">The name in lower case; null unless the state is <see cref="ClientHelloNameState.Named"/>.</param>
    public static ClientHelloNameState Read(in ReadOnlySequence<byte> received, out string? name)
    {
        name = null;
        var message = new HandshakeMessageReader(received);
        Span<byte> buffer = stackalloc byte[MaxLength + 1];
        int length = 0;
        if (!TryEnterExtensions(ref message) || !TryFindName(ref message, buffer, ref length))
        {
            return ClientHelloNameState.Malformed;
        }

        if (length == 0)
        {
            return ClientHelloNameState.None;
        }

        if (length > buffer.Length)
        {
            return ClientHelloNameState.Unusable;
        }

        // RFC 6066 3 wants none, but some clients send the dot with which a name is written whole (RFC 1034 3.1): the host is the same.
        ReadOnlySpan<byte> host = buffer[length - 1] == (byte)'.' ? buffer[..(length - 1)] : buffer[..length];
        return host.Length is 0 or > MaxLength || !IsHostName(host) ? ClientHelloNameState.Unusable : Name(host, out name);
    }

    /// <summary>Whether a name can be a host's, and so be <see cref="ClientHelloNameState.Named"/>; of names in settings.</summary>
    public static bool IsHostName(string name) =>
        name.Length is > 0 and <= MaxLength && Ascii.IsValid(name) && IsHostName(Encoding.ASCII.GetBytes(name));

    private static ClientHelloNameState Name(ReadOnlySpan<byte> bytes, out string name)
    {
        name = string.Create(bytes.Length, bytes, static (characters, bytes) => Ascii.ToLower(bytes, characters, out _));
        return ClientHelloNameState.Named;
    }

    /// <summary>Reads up to the first extension; then the rest of the message is the extensions, and nothing else.</summary>
    private static bool TryEnterExtensions(ref HandshakeMessageReader message)
    {
        if (!message.TryEnter(ClientHelloMessage)
            || !message.TrySkip(sizeof(ushort) + RandomBytes)
            || !message.TryRead(out byte sessionIdBytes) || sessionIdBytes > MaxSessionIdBytes || !message.TrySkip(sessionIdBytes)
            || !message.TryRead(out ushort suitesBytes) || suitesBytes == 0 || suitesBytes % 2 != 0 || !message.TrySkip(suitesBytes)
            || !message.TryRead(out byte methodsBytes) || methodsBytes == 0 || !message.TrySkip(methodsBytes))
        {
            return false;
        }

        return message.Remaining == 0 || (message.TryRead(out ushort extensionsBytes) && extensionsBytes == message.Remaining);
    }

    /// <summary>Walks over all extensions, those after the name too. Copies as much of the name as the buffer holds, and tells its whole length.</summary>
    private static bool TryFindName(ref HandshakeMessageReader message, scoped Span<byte> buffer, ref int length)
    {
        while (message.Remaining > 0)
        {
            if (!message.TryRead(out ushort type) || !message.TryRead(out ushort dataBytes) || dataBytes > message.Remaining)
            {
                return false;
            }

            if (type != ServerNameExtension)
            {
                message.TrySkip(dataBytes);
                continue;
            }

            // One name of one type: no other is defined, and OpenSSL takes no second one either.
            if (length > 0
                || dataBytes < 5
                || !message.TryRead(out ushort listBytes) || listBytes != dataBytes - 2
                || !message.TryRead(out byte nameType) || nameType != HostName
                || !message.TryRead(out ushort nameBytes) || nameBytes != dataBytes - 5 || nameBytes == 0)
            {
                return false;
            }

            length = nameBytes;
            int kept = Math.Min(length, buffer.Length);
            message.TryCopy(buffer[..kept]);
            message.TrySkip(length - kept);
        }

        return true;
    }

    private static bool IsHostName(ReadOnlySpan<byte> name)
    {
        if (name.ContainsAnyExcept(NameCharacters))
        {
            return false;
        }

        foreach (Range label in name.Split((byte)'.'))
        {
            (int _, int labelLength) = label.GetOffsetAndLength(name.Length);
            if (labelLength is 0 or > MaxLabelLength)
            {
                return false;
            }
        }

        return true;
    }
}
