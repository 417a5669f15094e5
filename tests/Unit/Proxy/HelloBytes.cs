using System.Buffers;
using System.Text;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>ClientHellos put together by hand, right and wrong ones.</summary>
internal static class HelloBytes
{
    /// <summary>supported_versions with TLS 1.3: an extension that is not server_name.</summary>
    public static readonly byte[] Versions = [0, 43, 0, 3, 2, 3, 4];

    /// <summary>The extension server_name.</summary>
    public static byte[] ServerName(string name)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(name);
        return [0, 0, .. Length(bytes.Length + 5), .. Length(bytes.Length + 3), 0, .. Length(bytes.Length), .. bytes];
    }

    /// <summary>Everything before the extensions: legacy_version, random, no session, one suite, no compression.</summary>
    public static byte[] Beginning() => [3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0];

    /// <summary>A message with these extensions.</summary>
    public static byte[] Message(params byte[][] extensions)
    {
        byte[] all = [.. extensions.SelectMany(extension => extension)];
        return WithHeader([.. Beginning(), .. Length(all.Length), .. all]);
    }

    /// <summary>The handshake header before a body.</summary>
    public static byte[] WithHeader(byte[] body) => [1, (byte)(body.Length >> 16), .. Length(body.Length & 0xFFFF), .. body];

    /// <summary>A message in records of so many bytes.</summary>
    public static byte[] Records(byte[] message, int bytesPerRecord = 16 * 1024) =>
        [.. message.Chunk(bytesPerRecord).SelectMany(body => (byte[])[22, 3, 1, .. Length(body.Length), .. body])];

    /// <summary>The bytes in segments that end at each of the cuts.</summary>
    public static ReadOnlySequence<byte> Segments(byte[] bytes, params int[] cuts)
    {
        int[] ends = [.. cuts, bytes.Length];
        var first = new Segment(bytes.AsMemory(0, ends[0]), null);
        Segment last = first;
        for (int i = 1; i < ends.Length; i++)
        {
            last = new Segment(bytes.AsMemory(ends[i - 1]..ends[i]), last);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    public static byte[] Length(int length) => [(byte)(length >> 8), (byte)length];

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> bytes, Segment? previous)
        {
            Memory = bytes;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
