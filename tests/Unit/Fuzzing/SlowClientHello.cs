using System.Text;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Fuzzing;

/// <summary>
/// What a ClientHello is, told byte by byte and by nothing but the layouts of RFC 8446 and RFC 6066: slow, and right at a look. It does not know
/// of segments, so whoever agrees with it does not depend on them.
/// </summary>
internal static class SlowClientHello
{
    private const int MaxMessageBytes = 64 * 1024;
    private const int MaxRecords = 64;
    private const int MaxRecordBytes = 16 * 1024;

    /// <summary>The state after each number of bytes, from 0 to all of them, and the message where it is complete.</summary>
    public static (ClientHelloState[] States, byte[] Message) Inspect(byte[] received)
    {
        var states = new ClientHelloState[received.Length + 1];
        var message = new List<byte>();
        var state = ClientHelloState.Incomplete;
        int headerBytes = 0;
        int recordBytes = 0;    // what the record's header says
        int bodyBytes = 0;
        int records = 0;
        for (int i = 0; i < received.Length; i++)
        {
            if (state == ClientHelloState.Incomplete)
            {
                byte value = received[i];
                if (headerBytes < 5)
                {
                    headerBytes++;
                    bool isWrong = (headerBytes == 1 && value != 22) || (headerBytes == 2 && value != 3);
                    recordBytes = headerBytes == 4 ? value * 256 : headerBytes == 5 ? recordBytes + value : 0;
                    bodyBytes = 0;
                    isWrong |= headerBytes == 5 && (recordBytes == 0 || recordBytes > MaxRecordBytes);
                    state = isWrong ? ClientHelloState.NotTls : state;
                }
                else
                {
                    message.Add(value);
                    bodyBytes++;
                    if (message[0] != 1)
                    {
                        state = ClientHelloState.NotTls;
                    }
                    else if (message.Count >= 4 && Whole(message) > MaxMessageBytes)
                    {
                        state = ClientHelloState.TooLong;
                    }
                    else if (bodyBytes == recordBytes)
                    {
                        records++;
                        headerBytes = 0;
                        state = message.Count >= 4 && message.Count >= Whole(message) ? ClientHelloState.Complete
                            : records == MaxRecords ? ClientHelloState.TooLong
                            : state;
                    }
                }
            }

            states[i + 1] = state;
        }

        return (states, state == ClientHelloState.Complete ? [.. message[..Whole(message)]] : []);
    }

    /// <summary>The server's name in a whole message.</summary>
    public static (ClientHelloNameState State, string? Name) ReadName(byte[] message)
    {
        try
        {
            var hello = new Fields(message[4..]);
            hello.Take(2 + 32);
            Require(hello.Vector(1).Length <= 32);
            byte[] suites = hello.Vector(2);
            Require(suites.Length > 0 && suites.Length % 2 == 0);
            Require(hello.Vector(1).Length > 0);
            byte[]? name = null;
            if (!hello.IsAtEnd)
            {
                var extensions = new Fields(hello.Vector(2));
                Require(hello.IsAtEnd);
                while (!extensions.IsAtEnd)
                {
                    int type = extensions.Number(2);
                    byte[] data = extensions.Vector(2);
                    if (type == 0)
                    {
                        Require(name is null);
                        var extension = new Fields(data);
                        var list = new Fields(extension.Vector(2));
                        Require(extension.IsAtEnd);
                        Require(list.Number(1) == 0);
                        name = list.Vector(2);
                        Require(list.IsAtEnd && name.Length > 0);
                    }
                }
            }

            if (name is null)
            {
                return (ClientHelloNameState.None, null);
            }

            // One dot at the end is the root's (RFC 1034 3.1).
            string text = Encoding.Latin1.GetString(name);
            string host = text.EndsWith('.') ? text[..^1] : text;
            return IsHost(host) ? (ClientHelloNameState.Named, host.ToLowerInvariant()) : (ClientHelloNameState.Unusable, null);
        }
        catch (FormatException)
        {
            return (ClientHelloNameState.Malformed, null);
        }
    }

    private static int Whole(List<byte> message) => 4 + (message[1] << 16) + (message[2] << 8) + message[3];

    private static bool IsHost(string name) =>
        name.Length <= 253 && name.Split('.').All(static label => label.Length is >= 1 and <= 63 && label.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));

    private static void Require(bool condition)
    {
        if (!condition)
        {
            throw new FormatException();
        }
    }

    private sealed class Fields(byte[] bytes)
    {
        private int _at;

        public bool IsAtEnd => _at == bytes.Length;

        public byte[] Take(int count)
        {
            Require(count <= bytes.Length - _at);
            _at += count;
            return bytes[(_at - count).._at];
        }

        public int Number(int size) => Take(size).Aggregate(0, static (number, value) => (number << 8) | value);

        public byte[] Vector(int lengthSize) => Take(Number(lengthSize));
    }
}
