using System.Buffers;

namespace WarpProxy.Tls;

/// <summary>
/// A fatal alert to a client with whom nothing is agreed yet (RFC 8446 6):
/// <code>
/// record  u8 type = 21, u16 version = 0x0301 (as every client reads it: RFC 8446 5.1), u16 length = 2
/// alert   u8 level = 2, u8 description
/// </code>
/// </summary>
internal static class PlaintextAlert
{
    /// <summary>What came is no ClientHello.</summary>
    public const byte UnexpectedMessage = 10;

    /// <summary>A field of the ClientHello has a value that is not accepted: its length.</summary>
    public const byte IllegalParameter = 47;

    /// <summary>The lengths in the ClientHello do not fit together.</summary>
    public const byte DecodeError = 50;

    /// <summary>The client did nothing wrong.</summary>
    public const byte InternalError = 80;

    /// <summary>The listener has no certificate for the name (RFC 6066 3).</summary>
    public const byte UnrecognizedName = 112;

    /// <summary>Writes it, without a flush.</summary>
    public static void Write(IBufferWriter<byte> output, byte description) => output.Write<byte>([21, 3, 1, 0, 2, 2, description]);
}
