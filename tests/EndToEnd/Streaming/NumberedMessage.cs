using System.Buffers.Binary;

namespace WarpProxy.Tests.EndToEnd.Streaming;

/// <summary>
/// Messages that each side can make and check without the other: u32 number, then bytes that follow from it. Most are small, some fill several
/// TLS records and HTTP/2 frames.
/// </summary>
internal static class NumberedMessage
{
    private const int HeaderBytes = 4;
    private const int LongBytes = 50_000;
    private const int ShortBytes = 1500;
    private const int LongEvery = 50;

    public static byte[] Create(int number)
    {
        byte[] message = new byte[HeaderBytes + (number % LongEvery == 0 ? LongBytes : (int)((uint)number * 2654435761 % ShortBytes))];
        BinaryPrimitives.WriteInt32BigEndian(message, number);
        for (int i = HeaderBytes; i < message.Length; i++)
        {
            message[i] = (byte)((number * 31) + (i * 7));
        }

        return message;
    }

    public static void Check(int number, ReadOnlySpan<byte> message)
    {
        if (!message.SequenceEqual(Create(number)))
        {
            throw new InvalidDataException($"Message {number} came as another: {message.Length} bytes.");
        }
    }
}
