using System.Buffers;

namespace WarpProxy.Tls;

/// <summary>
/// Reads one handshake message that is buffered whole, over the headers of the records it is cut into (RFC 8446 5.1). Every member returns
/// false instead of reading past the end of the message.
/// </summary>
internal ref struct HandshakeMessageReader(in ReadOnlySequence<byte> received)
{
    private const byte HandshakeRecord = 22;
    private const int HeaderBytes = 4;

    private SequenceReader<byte> _reader = new(received);
    private int _recordBytes;       // left of the record begun

    /// <summary>Bytes of the message not yet read.</summary>
    public int Remaining { get; private set; }

    /// <summary>Reads the header of the message.</summary>
    public bool TryEnter(byte messageType)
    {
        Remaining = HeaderBytes;
        if (!TryRead(out byte type) || type != messageType || !TryRead(out byte high) || !TryRead(out ushort low))
        {
            Remaining = 0;
            return false;
        }

        Remaining = (high << 16) | low;
        return true;
    }

    /// <summary>Reads one byte.</summary>
    public bool TryRead(out byte value)
    {
        value = 0;
        if (Remaining == 0 || !TryEnterRecord() || !_reader.TryRead(out value))
        {
            return false;
        }

        _recordBytes--;
        Remaining--;
        return true;
    }

    /// <summary>Reads two bytes, big-endian.</summary>
    public bool TryRead(out ushort value)
    {
        bool isRead = TryRead(out byte high) & TryRead(out byte low);
        value = (ushort)((high << 8) | low);
        return isRead;
    }

    /// <summary>Copies as many bytes as <paramref name="destination"/> holds.</summary>
    public bool TryCopy(scoped Span<byte> destination)
    {
        if (destination.Length > Remaining)
        {
            return false;
        }

        while (!destination.IsEmpty)
        {
            if (!TryEnterRecord())
            {
                return false;
            }

            int count = Math.Min(destination.Length, _recordBytes);
            if (!_reader.TryCopyTo(destination[..count]))
            {
                return false;
            }

            Advance(count);
            destination = destination[count..];
        }

        return true;
    }

    /// <summary>Passes over bytes.</summary>
    public bool TrySkip(int count)
    {
        if (count > Remaining)
        {
            return false;
        }

        while (count > 0)
        {
            if (!TryEnterRecord())
            {
                return false;
            }

            int part = Math.Min(count, _recordBytes);
            if (part > _reader.Remaining)
            {
                return false;
            }

            Advance(part);
            count -= part;
        }

        return true;
    }

    private void Advance(int count)
    {
        _reader.Advance(count);
        _recordBytes -= count;
        Remaining -= count;
    }

    /// <summary>Reads the header of the next record where the last one ended.</summary>
    private bool TryEnterRecord()
    {
        if (_recordBytes > 0)
        {
            return true;
        }

        if (!_reader.TryRead(out byte type) || type != HandshakeRecord || !_reader.TryReadBigEndian(out short _) || !_reader.TryReadBigEndian(out short length))
        {
            return false;
        }

        _recordBytes = (ushort)length;
        return _recordBytes > 0;
    }
}
