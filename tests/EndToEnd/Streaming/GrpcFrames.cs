using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace WarpProxy.Tests.EndToEnd.Streaming;

/// <summary>Messages in a body as gRPC has them: u8 compressed = 0, u32 length, message.</summary>
internal static class GrpcFrames
{
    private const int HeaderBytes = 5;

    public static async Task WriteAsync(Stream body, byte[] message)
    {
        byte[] frame = new byte[HeaderBytes + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, HeaderBytes);
        await body.WriteAsync(frame);
        await body.FlushAsync();
    }

    /// <summary>Reads the next message; null at the end.</summary>
    public static async Task<byte[]?> ReadAsync(PipeReader body, CancellationToken cancellation = default)
    {
        while (true)
        {
            ReadResult result = await body.ReadAsync(cancellation);
            ReadOnlySequence<byte> bytes = result.Buffer;
            if (TryCut(ref bytes, out byte[] message))
            {
                body.AdvanceTo(bytes.Start);
                return message;
            }

            body.AdvanceTo(bytes.Start, bytes.End);
            if (result.IsCompleted)
            {
                return bytes.IsEmpty ? null : throw new InvalidDataException($"The body ended inside a message, after {bytes.Length} bytes of it.");
            }
        }
    }

    private static bool TryCut(ref ReadOnlySequence<byte> bytes, out byte[] message)
    {
        message = [];
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (bytes.Length < HeaderBytes)
        {
            return false;
        }

        bytes.Slice(0, HeaderBytes).CopyTo(header);
        int length = BinaryPrimitives.ReadInt32BigEndian(header[1..]);
        if (bytes.Length < HeaderBytes + length)
        {
            return false;
        }

        message = bytes.Slice(HeaderBytes, length).ToArray();
        bytes = bytes.Slice(HeaderBytes + length);
        return true;
    }
}
