using System.Buffers.Text;
using System.Text;

namespace WarpProxy.LoadTest.Http;

/// <summary>
/// Reads one HTTP/1 response after the other (RFC 9112) from pieces cut anywhere: finds where each ends, and drops its body. Allocates nothing
/// per response. One thread.
/// </summary>
internal sealed class ResponseReader
{
    private const int MaxHeadBytes = 32 * 1024;
    private const int MaxChunkDigits = 15;

    private readonly byte[] _head = new byte[MaxHeadBytes]; // of a head that came in pieces
    private int _headBytes;
    private bool _isHead;
    private Step _step;
    private long _left;      // of the body or the chunk
    private int _digits;     // of the chunk's size so far
    private bool _isLineEmpty; // of a trailer line, so far

    private enum Step
    {
        Head,
        Body,
        ChunkSize,
        ChunkExtension,
        ChunkData,
        ChunkEnd,
        Trailer,
        ToEnd,
        Done,
        Broken,
    }

    public int Status { get; private set; }

    /// <summary>Whether the server will take another request on this connection.</summary>
    public bool KeepsConnection { get; private set; }

    /// <summary>Whether anything came.</summary>
    public bool HasBegun => _step != Step.Head || _headBytes > 0;

    public bool IsDone => _step == Step.Done;

    /// <summary>Whether what came is not HTTP/1.</summary>
    public bool IsBroken => _step == Step.Broken;

    /// <summary>Before each response.</summary>
    /// <param name="isHead">Whether HEAD was asked, whose responses have no body.</param>
    public void Begin(bool isHead)
    {
        _isHead = isHead;
        _headBytes = 0;
        _step = Step.Head;
    }

    /// <summary>Takes bytes up to the end of the response; returns how many those were.</summary>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        int taken = 0;
        while (taken < bytes.Length && _step is not (Step.Done or Step.Broken))
        {
            taken += TakeSome(bytes[taken..]);
        }

        return taken;
    }

    /// <summary>The server has closed. Returns whether that was the end of the response.</summary>
    public bool TakeEnd()
    {
        _step = _step == Step.ToEnd ? Step.Done : _step;
        return IsDone;
    }

    private int TakeSome(ReadOnlySpan<byte> bytes)
    {
        switch (_step)
        {
            case Step.Head:
                return TakeHead(bytes);
            case Step.Body:
                return TakeBody(bytes, Step.Done);
            case Step.ChunkData:
                return TakeBody(bytes, Step.ChunkEnd);
            case Step.ToEnd:
                return bytes.Length;
            case Step.ChunkSize:
                TakeChunkSize(bytes[0]);
                return 1;
            case Step.ChunkExtension:
                int end = bytes.IndexOf((byte)'\n');
                if (end >= 0)
                {
                    (_step, _isLineEmpty) = (_left > 0 ? Step.ChunkData : Step.Trailer, true);
                }

                return end < 0 ? bytes.Length : end + 1;
            case Step.ChunkEnd:
                (_step, _left, _digits) = bytes[0] switch
                {
                    (byte)'\r' => (Step.ChunkEnd, 0, 0),
                    (byte)'\n' => (Step.ChunkSize, 0, 0),
                    _ => (Step.Broken, 0, 0),
                };
                return 1;
            default:
                TakeTrailer(bytes[0]);
                return 1;
        }
    }

    private int TakeHead(ReadOnlySpan<byte> bytes)
    {
        // All of it at once is the usual case, and needs no copy.
        if (_headBytes == 0 && bytes.IndexOf("\r\n\r\n"u8) is >= 0 and int end)
        {
            ParseHead(bytes[..(end + 2)]);
            return end + 4;
        }

        int copied = Math.Min(bytes.Length, MaxHeadBytes - _headBytes);
        bytes[..copied].CopyTo(_head.AsSpan(_headBytes));
        int from = Math.Max(0, _headBytes - 3);
        int found = _head.AsSpan(from, _headBytes + copied - from).IndexOf("\r\n\r\n"u8);
        if (found >= 0)
        {
            int length = from + found + 4;
            int taken = length - _headBytes;
            ParseHead(_head.AsSpan(0, length - 2));
            return taken;
        }

        _headBytes += copied;
        if (_headBytes == MaxHeadBytes || !LooksLikeHttp(_head.AsSpan(0, _headBytes)))
        {
            _step = Step.Broken;
        }

        return copied;
    }

    private static bool LooksLikeHttp(ReadOnlySpan<byte> begin) => "HTTP/1."u8.StartsWith(begin[..Math.Min(begin.Length, 7)]);

    /// <param name="head">Status line and headers, each with its CRLF.</param>
    private void ParseHead(ReadOnlySpan<byte> head)
    {
        bool isStatusLine = head.Length >= 14 && head.StartsWith("HTTP/1."u8) && head[8] == ' '
            && Utf8Parser.TryParse(head.Slice(9, 3), out int status, out int used) && used == 3 && status is >= 100 and < 600
            && (Status = status) > 0;
        if (!isStatusLine)
        {
            _step = Step.Broken;
            return;
        }

        KeepsConnection = head[7] != '0';
        (long? length, bool isChunked) = (null, false);
        for (int at = head.IndexOf("\r\n"u8) + 2; at < head.Length;)
        {
            int end = head[at..].IndexOf("\r\n"u8);
            ReadOnlySpan<byte> line = head.Slice(at, end);
            at += end + 2;
            int colon = line.IndexOf((byte)':');
            ReadOnlySpan<byte> value = colon < 0 ? default : line[(colon + 1)..].Trim(" \t"u8);
            if (colon <= 0)
            {
                _step = Step.Broken;
                return;
            }

            if (Ascii.EqualsIgnoreCase(line[..colon], "content-length"u8))
            {
                if (!Utf8Parser.TryParse(value, out long given, out used) || used != value.Length || given < 0 || (length ?? given) != given)
                {
                    _step = Step.Broken;
                    return;
                }

                length = given;
            }
            else if (Ascii.EqualsIgnoreCase(line[..colon], "transfer-encoding"u8))
            {
                isChunked = value.Length >= 7 && Ascii.EqualsIgnoreCase(value[^7..], "chunked"u8); // always the last one (RFC 9112 6.1)
            }
            else if (Ascii.EqualsIgnoreCase(line[..colon], "connection"u8))
            {
                KeepsConnection = !Ascii.EqualsIgnoreCase(value, "close"u8) && (KeepsConnection || Ascii.EqualsIgnoreCase(value, "keep-alive"u8));
            }
        }

        BeginBody(length, isChunked);
    }

    /// <summary>RFC 9112 6.3: how long the body is.</summary>
    private void BeginBody(long? length, bool isChunked)
    {
        _headBytes = 0;
        if (Status is >= 100 and < 200)
        {
            // Something interim; the response follows. Nobody asked to switch protocols.
            _step = Status == 101 ? Step.Broken : Step.Head;
        }
        else if (_isHead || Status is 204 or 304)
        {
            _step = Step.Done;
        }
        else if (isChunked)
        {
            (_step, _left, _digits) = (Step.ChunkSize, 0, 0);
        }
        else if (length is long bytes)
        {
            (_step, _left) = (bytes == 0 ? Step.Done : Step.Body, bytes);
        }
        else
        {
            (_step, KeepsConnection) = (Step.ToEnd, false);
        }
    }

    private int TakeBody(ReadOnlySpan<byte> bytes, Step next)
    {
        int taken = (int)Math.Min(bytes.Length, _left);
        _left -= taken;
        _step = _left == 0 ? next : _step;
        return taken;
    }

    private void TakeChunkSize(byte digit)
    {
        if (char.IsAsciiHexDigit((char)digit) && _digits < MaxChunkDigits)
        {
            _left = (_left * 16) + (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
            _digits++;
        }
        else if (_digits > 0 && digit is (byte)'\r' or (byte)';' or (byte)' ' or (byte)'\t')
        {
            _step = Step.ChunkExtension;
        }
        else
        {
            _step = Step.Broken;
        }
    }

    /// <summary>Lines to an empty one.</summary>
    private void TakeTrailer(byte next)
    {
        if (next == '\n')
        {
            (_step, _isLineEmpty) = (_isLineEmpty ? Step.Done : Step.Trailer, true);
        }
        else if (next != '\r')
        {
            _isLineEmpty = false;
        }
    }
}
