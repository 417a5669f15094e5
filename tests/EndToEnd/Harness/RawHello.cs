using System.Text;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A ClientHello put together by hand; as it stands, a good one of TLS 1.2 for ECDHE with AES-128-GCM. Big-endian.</summary>
internal sealed record RawHello
{
    public static readonly byte[] Groups = Extension(10, 0, 4, 0, 29, 0, 23);                          // x25519, secp256r1
    public static readonly byte[] PointFormats = Extension(11, 1, 0);
    public static readonly byte[] Algorithms = Extension(13, 0, 6, 4, 1, 8, 4, 4, 3);                  // rsa_pkcs1_sha256, rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256
    public static readonly byte[] Tls13 = Extension(43, 2, 3, 4);                                      // supported_versions
    public static readonly byte[] KeyShare = Extension(51, [0, 36, 0, 29, 0, 32, 9, .. new byte[31]]); // x25519: the base point

    /// <summary>Of the message; TLS 1.3 says 1.2 here.</summary>
    public ushort Version { get; init; } = 0x0303;

    /// <summary>Session ID with its length before it.</summary>
    public byte[] Session { get; init; } = [0];

    public ushort[] Suites { get; init; } = [0xC02F];

    /// <summary>Methods with their count before them.</summary>
    public byte[] Compression { get; init; } = [1, 0];

    public byte[][] Extensions { get; init; } = [Groups, PointFormats, Algorithms];

    /// <summary>What comes after the extensions: nothing, rightly.</summary>
    public byte[] Rest { get; init; } = [];

    public static byte[] Extension(ushort type, params byte[] body) => [.. Number(type), .. Number(body.Length), .. body];

    /// <summary>A record around it.</summary>
    public static byte[] Record(byte type, params byte[] body) => [type, 3, 3, .. Number(body.Length), .. body];

    /// <summary>A handshake message in a record.</summary>
    public static byte[] Message(byte type, params byte[] body) => Record(22, [type, 0, .. Number(body.Length), .. body]);

    public static byte[] Alpn(string protocol) =>
        Extension(16, [.. Number(protocol.Length + 1), (byte)protocol.Length, .. Encoding.ASCII.GetBytes(protocol)]);

    public byte[] ToRecord()
    {
        byte[] extensions = [.. Extensions.SelectMany(static extension => extension)];
        return Message(
            1,
            [
                .. Number(Version), .. Enumerable.Repeat((byte)7, 32), .. Session, .. Number(2 * Suites.Length), .. Suites.SelectMany(static suite => Number(suite)),
                .. Compression, .. Number(extensions.Length), .. extensions, .. Rest,
            ]);
    }

    private static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];
}
