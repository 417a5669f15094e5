using System.Buffers;

namespace WarpProxy.Tls;

/// <summary>What the first bytes of a connection are.</summary>
internal enum ClientHelloState
{
    /// <summary>A ClientHello so far; more bytes have to come.</summary>
    Incomplete,

    /// <summary>A ClientHello, whole.</summary>
    Complete,

    /// <summary>Something that is not a TLS ClientHello.</summary>
    NotTls,

    /// <summary>A ClientHello that says it is longer than <see cref="ClientHello.MaxBytes"/>, or is cut into more records than <see cref="ClientHello.MaxRecords"/>.</summary>
    TooLong,
}

/// <summary>
/// Tells when a ClientHello is buffered whole. It may span several records (RFC 8446 5.1) and any number of TCP segments.
/// <code>
/// record     u8 type = 22, u16 version = 0x03xx, u16 length, body          (length 1 to 16384)
/// handshake  u8 type = 1,  u24 length, body                                (cut into records anywhere, its header too)
/// </code>
/// </summary>
internal static class ClientHello
{
    /// <summary>The longest ClientHello taken, without record headers. Real ones are under 4 KiB, also with post-quantum key shares.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>The most records it may be cut into. Whole ones need 5 at most.</summary>
    public const int MaxRecords = 64;

    private const int RecordHeaderBytes = 5;
    private const int HandshakeHeaderBytes = 4;
    private const int MaxRecordBytes = 16 * 1024;
    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;

    /// <summary>Looks at everything received so far, from the first byte of the connection.</summary>
    public static ClientHelloState Inspect(in ReadOnlySequence<byte> received)
    {
        var reader = new SequenceReader<byte>(received);
        uint header = 0;        // the handshake header, as far as it was seen
        int headerBytes = 0;
        long wanted = long.MaxValue;
        long seen = 0;          // bytes of the handshake message in whole records

        for (int records = 0; seen < wanted; records++)
        {
            // Each look begins at the first record again: with records of one byte each, a client would make that costly.
            if (records == MaxRecords)
            {
                return ClientHelloState.TooLong;
            }

            if (!TryReadRecordHeader(ref reader, out int recordBytes, out ClientHelloState state))
            {
                return state;
            }

            long available = Math.Min(recordBytes, reader.Remaining);
            long headerInRecord = Math.Min(HandshakeHeaderBytes - headerBytes, available);
            for (long i = 0; i < headerInRecord; i++)
            {
                reader.TryRead(out byte value);
                header = (header << 8) | value;
                headerBytes++;
            }

            if (headerBytes > 0 && header >> (8 * (headerBytes - 1)) != ClientHelloMessage)
            {
                return ClientHelloState.NotTls;
            }

            if (headerBytes == HandshakeHeaderBytes)
            {
                wanted = HandshakeHeaderBytes + (header & 0xFFFFFF);
                if (wanted > MaxBytes)
                {
                    return ClientHelloState.TooLong;
                }
            }

            if (available < recordBytes)
            {
                return ClientHelloState.Incomplete;
            }

            reader.Advance(recordBytes - headerInRecord);
            seen += recordBytes;
        }

        return ClientHelloState.Complete;
    }

    /// <summary>Reads one record header; on false, <paramref name="state"/> says whether it is short or wrong.</summary>
    private static bool TryReadRecordHeader(ref SequenceReader<byte> reader, out int recordBytes, out ClientHelloState state)
    {
        recordBytes = 0;
        state = ClientHelloState.NotTls;
        long available = reader.Remaining;

        // What is wrong is told at the first wrong byte: a plain HTTP client would wait for its answer otherwise.
        if (reader.TryRead(out byte type) && type != HandshakeRecord)
        {
            return false;
        }

        if (reader.TryRead(out byte major) && major != 3)
        {
            return false;
        }

        if (available < RecordHeaderBytes)
        {
            state = ClientHelloState.Incomplete;
            return false;
        }

        reader.Advance(1);
        reader.TryReadBigEndian(out short length);
        recordBytes = (ushort)length;
        return recordBytes is > 0 and <= MaxRecordBytes;
    }
}
