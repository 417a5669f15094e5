namespace WarpProxy.Tests.Unit.VfioUser.Fuzzing;

/// <summary>
/// What hostile clients say: sequences that are right for the most part, with fields, sizes and descriptors that are not, cut into pieces, one
/// client's between another's. All of it follows from the seed.
/// </summary>
internal sealed class FuzzGenerator(int seed)
{
    public const int Clients = 3;

    private static readonly ulong[] Values =
    [
        0, 1, 2, 3, 4, 8, 15, 16, 20, 24, 31, 32, 33, 56, 63, 64, 65, 127, 128, 256, 1023, 1024, 4095, 4096, 4097, 65535, 65536, 65537, 86016, 0x10000, 0x11000,
        int.MaxValue, 0x8000_0000, uint.MaxValue, 1ul << 32, 1ul << 47, long.MaxValue, 1ul << 63, ulong.MaxValue - 8191, ulong.MaxValue - 4095, ulong.MaxValue,
    ];

    private readonly Random _random = new(seed);

    /// <summary>So many inputs; a message that is cut into pieces is one.</summary>
    public IEnumerable<FuzzStep> Steps(int inputs)
    {
        var isOpen = new bool[Clients];
        for (int i = 0; i < inputs; i++)
        {
            int client = _random.Next(Clients);
            int chance = _random.Next(100);
            if (chance < 2)
            {
                isOpen[client] = false;
                yield return new FuzzStep(client, [], []);
            }
            else if (chance < 25)
            {
                yield return new FuzzStep(client, [], [], 1 + _random.Next(int.MaxValue - 1));
            }
            else
            {
                ushort command = isOpen[client] || _random.Next(10) == 0 ? Command() : (ushort)1;
                isOpen[client] = true;
                foreach (FuzzStep step in Pieces(client, Message(command), Kinds(command)))
                {
                    yield return step;
                }
            }
        }
    }

    private ushort Command() => _random.Next(24) switch
    {
        < 5 => 2,
        < 7 => 3,
        7 => 4,
        < 11 => 5,
        < 13 => 6,
        13 => 7,
        < 16 => 8,
        < 18 => 9,
        < 22 => 10,
        22 => 13,
        _ => (ushort)_random.Next(20),
    };

    private string[] Kinds(ushort command)
    {
        string[] right = command switch { 2 => ["memory"], 8 => ["eventfd"], _ => [] };
        return _random.Next(12) switch
        {
            0 => [],
            1 => [FuzzDescriptors.Kinds[_random.Next(FuzzDescriptors.Kinds.Count)]],
            2 => [.. right, .. Enumerable.Range(0, _random.Next(1, 12)).Select(_ => FuzzDescriptors.Kinds[_random.Next(FuzzDescriptors.Kinds.Count)])],
            _ => right,
        };
    }

    private byte[] Message(ushort command)
    {
        byte[] payload = Payload(command);
        if (_random.Next(4) == 0)
        {
            payload = Mutate(payload);
        }

        uint flags = _random.Next(10) switch { 0 => 0x10, 1 => (uint)_random.Next(64), _ => 0 };
        byte[] message = RawClient.Message((ushort)_random.Next(65536), command, payload, flags);
        if (_random.Next(40) == 0)
        {
            BitConverter.TryWriteBytes(message.AsSpan(4), (uint)Value());
        }

        return _random.Next(60) == 0 ? Mutate(message) : message;
    }

    /// <summary>What the command takes, with values that are often right.</summary>
    private byte[] Payload(ushort command) => command switch
    {
        1 => RawClient.Version(json: _random.Next(8) == 0 ? "{\"capabilities\":" + new string('[', _random.Next(100)) + "\0" : "{}\0"),
        2 => RawClient.DmaMap(flags: Often(3u), fileOffset: Often(0ul), iova: 0x10000 * (ulong)_random.Next(1, 5), size: Often(8192ul)),
        3 => RawClient.DmaUnmap(iova: 0x10000 * (ulong)_random.Next(1, 5), size: Often(8192ul), flags: Often(0u)),
        4 => RawClient.Bytes(Often(16u), 0u, 0u, 0u),
        5 => RawClient.RegionInfo(Often(64u), Often((uint)_random.Next(4))),
        6 => RawClient.Bytes(Often(56u), Often(0u), Often(3u), 0u),
        7 => RawClient.Bytes(Often(16u), 0u, Often(0u), 0u),
        8 => RawClient.SetIrqs(Often(0x24u), Often(1u), Often(0u), Often(0u), Often(20u)),
        9 => RawClient.Access(Often((uint)_random.Next(4)), Often((ulong)_random.Next(64) * 4), Often(4u)),
        10 => Write(),
        13 => [],
        _ => Noise(_random.Next(80)),
    };

    /// <summary>Depth, start, stop, the doorbell word, or bytes of the rings.</summary>
    private byte[] Write() => _random.Next(5) switch
    {
        0 => [.. RawClient.Access(2, 0x1c, 4), .. RawClient.Bytes(Often(1u << _random.Next(12)))],
        1 => [.. RawClient.Access(2, 0x28, 4), .. RawClient.Bytes(Often((uint)_random.Next(1, 3)))],
        2 => [.. RawClient.Access(0, 0x1000, 8), .. RawClient.Bytes(((ulong)_random.Next(64) << 32) | (uint)_random.Next(8))],
        3 => [.. RawClient.Access(3, 0, 4), .. RawClient.Bytes(Often((uint)_random.Next(1024)))],
        _ => Bytes(_random.Next(1, 400)),
    };

    private byte[] Bytes(int count) => [.. RawClient.Access(1, (ulong)_random.Next(86016), (uint)count), .. Noise(count)];

    private byte[] Mutate(byte[] bytes)
    {
        switch (_random.Next(4))
        {
            case 0:
                Array.Resize(ref bytes, _random.Next(10) == 0 ? _random.Next(70000) : _random.Next(bytes.Length + 20));
                return bytes;
            case 1 when bytes.Length >= 4:
                BitConverter.TryWriteBytes(bytes.AsSpan(_random.Next(bytes.Length / 4) * 4), (uint)Value());
                return bytes;
            case 2 when bytes.Length >= 8:
                BitConverter.TryWriteBytes(bytes.AsSpan(_random.Next(bytes.Length / 8) * 8), Value());
                return bytes;
            default:
                for (int i = 0; i < bytes.Length && i < 3; i++)
                {
                    bytes[_random.Next(bytes.Length)] ^= (byte)(1 << _random.Next(8));
                }

                return bytes;
        }
    }

    private IEnumerable<FuzzStep> Pieces(int client, byte[] message, string[] kinds)
    {
        int at = 0;
        while (_random.Next(8) == 0 && at < message.Length)
        {
            int piece = Math.Min(_random.Next(1, 40), message.Length - at);
            yield return new FuzzStep(client, message[at..(at + piece)], at == 0 || _random.Next(4) == 0 ? kinds : []);
            at += piece;
        }

        if (at < message.Length)
        {
            yield return new FuzzStep(client, message[at..], at == 0 ? kinds : []);
        }
    }

    private ulong Value() => _random.Next(3) == 0 ? (ulong)_random.NextInt64() : Values[_random.Next(Values.Length)];

    private uint Often(uint right) => _random.Next(12) == 0 ? (uint)Value() : right;

    private ulong Often(ulong right) => _random.Next(12) == 0 ? Value() : right;

    private byte[] Noise(int count)
    {
        byte[] bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }
}
