using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Fuzzing;

/// <summary>Beginnings of connections that follow from a seed: ClientHellos, right, nearly right and wrong, in records cut anywhere, then damaged.</summary>
internal sealed class HelloGenerator(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>The bytes of one connection.</summary>
    public byte[] Next()
    {
        byte[] message = Chance(30) ? Bytes(_random.Next(60)) : Message();
        byte[] connection = Records(message);
        for (int damages = Chance(2) ? _random.Next(1, 4) : 0; damages > 0; damages--)
        {
            connection = Damage(connection);
        }

        return Chance(5) ? [.. connection, .. Bytes(_random.Next(40))] : connection;
    }

    /// <summary>The bytes in segments cut anywhere: none, some, or between any two bytes.</summary>
    public int[] Cuts(int length)
    {
        int count = _random.Next(3) switch { 0 => 0, 1 => _random.Next(1, 6), _ => Math.Min(length, 200) };
        return [.. Enumerable.Range(0, count).Select(_ => _random.Next(length + 1)).Order()];
    }

    public int Number(int limit) => _random.Next(limit);

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Message()
    {
        byte[] body =
        [
            3, 3, .. Bytes(32),
            .. Vector(1, Bytes(Chance(20) ? _random.Next(256) : _random.Next(33))),
            .. Vector(2, Bytes(Chance(20) ? _random.Next(50) : 2 * _random.Next(1, 30))),
            .. Vector(1, Chance(20) ? Bytes(_random.Next(4)) : [0]),
            .. Chance(20) ? [] : Vector(2, [.. Enumerable.Range(0, _random.Next(8)).SelectMany(_ => Extension())]),
            .. Chance(30) ? Bytes(_random.Next(3)) : [],
        ];
        byte[] message = HelloBytes.WithHeader(body);
        if (Chance(30))
        {
            // Says that it is longer, or very long.
            message[_random.Next(1, 4)] = (byte)_random.Next(Chance(2) ? 4 : 256);
        }

        return message;
    }

    private byte[] Extension()
    {
        if (Chance(3))
        {
            byte[] name = Name();
            byte[] list = [(byte)(Chance(30) ? 1 : 0), .. Vector(2, name), .. Chance(30) ? Bytes(_random.Next(6)) : []];
            return [0, 0, .. Vector(2, Vector(2, list))];
        }

        // Some as long as a post-quantum key share.
        return [(byte)_random.Next(2), (byte)_random.Next(1, 60), .. Vector(2, Bytes(Chance(20) ? _random.Next(1500) : _random.Next(40)))];
    }

    private byte[] Name()
    {
        const string Usual = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        int length = Chance(10) ? _random.Next(300) : _random.Next(1, 40);
        return [.. Enumerable.Range(0, length).Select(_ => Chance(8) ? (byte)'.' : Chance(150) ? (byte)_random.Next(256) : (byte)Usual[_random.Next(Usual.Length)])];
    }

    /// <summary>A vector with its length before it; once in a while a wrong one.</summary>
    private byte[] Vector(int lengthSize, byte[] bytes)
    {
        int length = Chance(60) ? Math.Max(0, bytes.Length + _random.Next(-3, 4)) : bytes.Length;
        return lengthSize == 1 ? [(byte)length, .. bytes] : [.. HelloBytes.Length(length), .. bytes];
    }

    private byte[] Records(byte[] message)
    {
        var connection = new List<byte>();
        int usual = Chance(2) ? 16 * 1024 : Chance(3) ? 1 : _random.Next(1, 200);
        for (int at = 0; at < message.Length;)
        {
            int count = Math.Min(message.Length - at, usual > 1 && Chance(3) ? _random.Next(1, usual + 1) : usual);
            byte type = (byte)(Chance(300) ? _random.Next(256) : 22);
            byte major = (byte)(Chance(300) ? _random.Next(256) : 3);
            int said = Chance(200) ? _random.Next(65536) : count;
            connection.AddRange([type, major, (byte)_random.Next(5), .. HelloBytes.Length(said), .. message.AsSpan(at, count)]);
            at += count;
        }

        return [.. connection];
    }

    private byte[] Damage(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return bytes;
        }

        // Headers and lengths are at the beginning.
        int at = _random.Next(Chance(2) ? bytes.Length : Math.Min(bytes.Length, 60));
        switch (_random.Next(5))
        {
            case 0:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)(Chance(2) ? 0 : 255);
                return bytes;
            case 2:
                return bytes[..at];
            case 3:
                return [.. bytes[..at], .. Bytes(_random.Next(1, 5)), .. bytes[at..]];
            default:
                return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + _random.Next(1, 5))..]];
        }
    }
}
