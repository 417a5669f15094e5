using System.Buffers;
using System.Net;

namespace WarpProxy.ProxyProtocol;

/// <summary>What the first bytes of a connection are, where a PROXY protocol header has to come.</summary>
internal enum ProxyHeaderState
{
    /// <summary>A header so far; more bytes have to come.</summary>
    Incomplete,

    /// <summary>A header that tells for whom the connection was made.</summary>
    Proxied,

    /// <summary>A header without addresses: LOCAL (health checks), UNKNOWN, or a family that is not TCP. Those of the socket are right.</summary>
    Local,

    /// <summary>No header, one that breaks its format, one whose checksum is wrong, or one longer than <see cref="ProxyHeader.MaxBytes"/>.</summary>
    Malformed,
}

/// <summary>
/// A PROXY protocol header, version 1 (text) or 2 (binary), as load balancers put it in front of a connection's bytes. Source:
/// haproxy's doc/proxy-protocol.txt, of which sections 2.1 and 2.2 are meant below.
/// </summary>
/// <param name="State">What the bytes are.</param>
/// <param name="Length">Bytes of the header, when it is there.</param>
/// <param name="Client">Who connected, when <see cref="ProxyHeaderState.Proxied"/>. IPv4 in IPv6 (::ffff:a.b.c.d) is told as IPv4.</param>
/// <param name="Server">To what address, likewise.</param>
internal readonly record struct ProxyHeader(ProxyHeaderState State, int Length = 0, IPEndPoint? Client = null, IPEndPoint? Server = null)
{
    /// <summary>The longest header taken; a version 2 header could be 64 KiB. Real ones are under 1 KiB, with a client certificate's name in them.</summary>
    public const int MaxBytes = 16 * 1024;

    private const byte FirstOfText = (byte)'P';
    private const byte FirstOfBinary = (byte)'\r';

    /// <summary>Neither wrong nor whole.</summary>
    public static ProxyHeader Incomplete => new(ProxyHeaderState.Incomplete);

    /// <summary>Wrong.</summary>
    public static ProxyHeader Malformed => new(ProxyHeaderState.Malformed);

    /// <summary>Looks at everything received so far, from the first byte of the connection.</summary>
    public static ProxyHeader Read(in ReadOnlySequence<byte> received) => !new SequenceReader<byte>(received).TryPeek(out byte first) ? Incomplete : first switch
    {
        FirstOfText => ProxyHeaderText.Read(received),
        FirstOfBinary => ProxyHeaderBinary.Read(received),
        _ => Malformed,
    };

    /// <summary>A header with addresses.</summary>
    public static ProxyHeader Proxied(int length, IPEndPoint client, IPEndPoint server) => new(ProxyHeaderState.Proxied, length, Unmapped(client), Unmapped(server));

    // Senders that listen on both families at once tell clients of IPv4 so; rules and logs know them by their own address.
    private static IPEndPoint Unmapped(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
}
