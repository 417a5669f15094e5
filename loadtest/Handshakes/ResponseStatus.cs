using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>The status of an HTTP/1 response, from its first bytes: <c>HTTP/1.1 200</c>.</summary>
internal sealed class ResponseStatus
{
    private const int LineStart = 12;

    private readonly byte[] _line = new byte[LineStart];
    private int _length;

    /// <summary>Whether anything came.</summary>
    public bool HasBegun => _length > 0;

    public void Begin() => _length = 0;

    /// <summary>Takes the next bytes; only the first twelve matter.</summary>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> taken = bytes[..Math.Min(bytes.Length, LineStart - _length)];
        taken.CopyTo(_line.AsSpan(_length));
        _length += taken.Length;
    }

    /// <summary>Why the response counts as an error; null for a status of 2xx or 3xx.</summary>
    public LoadError? Refusal()
    {
        bool isHttp = _length == LineStart && _line.AsSpan().StartsWith("HTTP/1."u8) && _line[8] == ' ';
        if (!isHttp || !int.TryParse(_line.AsSpan(9), out int status))
        {
            return new LoadError(LoadErrorKind.NotHttp);
        }

        return status is >= 200 and < 400 ? null : new LoadError(LoadErrorKind.HttpStatus, Status: status);
    }
}
