using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>One arena that two devices have mapped: what stands in it is never copied, whichever of them works on it.</summary>
public sealed class SharedArenaTests : IDisposable
{
    private const int ModulusBytes = 256;
    private const int SlotBytes = 1024;
    private const int Slots = 4;

    private static readonly RSAParameters Key = CreateKey();
    private static readonly byte[] Crt = [.. Key.DQ!, .. Key.DP!, .. Key.Q!, .. Key.P!, .. Key.InverseQ!];
    private static readonly byte[] Public = [.. new byte[ModulusBytes - Key.Exponent!.Length], .. Key.Exponent!, .. Key.Modulus!];

    private readonly List<IDisposable> _opened = [];

    public static TheoryData<string, string> Pairs => PairsOf(SharingDevice.Kinds);

    public static TheoryData<string, string> FaultyPairs => PairsOf(SharingDevice.FaultyKinds);

    public void Dispose() => Enumerable.Reverse(_opened).ToList().ForEach(static one => one.Dispose());

    [Theory]
    [MemberData(nameof(FaultyPairs))]
    public void Operation_that_one_device_refuses_is_computed_by_another_from_the_same_bytes(string first, string second)
    {
        (SharingDevice a, SharingDevice b, DmaArena arena, ArenaMapping ofB) = Share(first, second, """{ "faults": [ { "kind": "error", "status": 5 } ] }""");
        byte[] input = WriteInput(arena, 1);
        Assert.True(arena.TryWriteKey(Crt, out KeyPlace key));

        Assert.Equal(HpreError.Engine, a.Compute(HpreAlgorithm.RsaCrt, key.Iova, arena.InputIova(1), arena.OutputIova(1)));
        Assert.Equal(new byte[ModulusBytes], arena.Output(1, ModulusBytes).ToArray());
        Assert.Equal(HpreError.None, b.Compute(HpreAlgorithm.RsaCrt, ofB.KeyIova(key), ofB.InputIova(1), ofB.OutputIova(1)));

        Assert.Equal(Power(input), arena.Output(1, ModulusBytes).ToArray());
        Assert.Equal(input, arena.Input(1, ModulusBytes).ToArray());
    }

    [Theory]
    [MemberData(nameof(FaultyPairs))]
    public void Operation_that_one_device_never_answers_is_computed_by_another_from_the_same_bytes(string first, string second)
    {
        (SharingDevice a, SharingDevice b, DmaArena arena, ArenaMapping ofB) = Share(first, second, """{ "faults": [ { "kind": "drop" } ] }""");
        byte[] input = WriteInput(arena, 2);
        Assert.True(arena.TryWriteKey(Crt, out KeyPlace key));

        a.Post(HpreAlgorithm.RsaCrt, key.Iova, arena.InputIova(2), arena.OutputIova(2));
        Assert.Equal(1, a.InFlight);
        Assert.Equal(HpreError.None, b.Compute(HpreAlgorithm.RsaCrt, ofB.KeyIova(key), ofB.InputIova(2), ofB.OutputIova(2)));

        Assert.Equal(Power(input), arena.Output(2, ModulusBytes).ToArray());
        Assert.Equal(1, a.InFlight);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void What_one_device_has_signed_another_verifies_where_it_stands(string first, string second)
    {
        (SharingDevice a, SharingDevice b, DmaArena arena, ArenaMapping ofB) = Share(first, second);
        byte[] message = WriteInput(arena, 0);
        Assert.True(arena.TryWriteKey(Crt, out KeyPlace privateKey));
        Assert.True(arena.TryWriteKey(Public, out KeyPlace publicKey));
        nint signatureAddress = AddressOf(arena.Output(0, ModulusBytes));

        // The host touches neither the signature nor its slot between the two: the second's input is the first's output.
        Assert.Equal(HpreError.None, a.Compute(HpreAlgorithm.RsaCrt, privateKey.Iova, arena.InputIova(0), arena.OutputIova(0)));
        Assert.Equal(HpreError.None, b.Compute(HpreAlgorithm.RsaPlain, ofB.KeyIova(publicKey), ofB.OutputIova(0), ofB.OutputIova(3)));

        Assert.Equal(message, arena.Output(3, ModulusBytes).ToArray());
        Assert.Equal(Power(message), arena.Output(0, ModulusBytes).ToArray());
        Assert.Equal(signatureAddress, AddressOf(arena.Output(0, ModulusBytes)));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Both_devices_find_each_byte_at_the_same_distance(string first, string second)
    {
        (_, _, DmaArena arena, ArenaMapping ofB) = Share(first, second);
        Assert.True(arena.TryWriteKey(Crt, out KeyPlace one));
        Assert.True(arena.TryWriteKey(Public, out KeyPlace other));
        for (int slot = 0; slot < Slots; slot++)
        {
            ulong offset = (ulong)slot * SlotBytes;
            Assert.Equal((offset, offset), (arena.InputIova(slot) - arena.InputIova(0), ofB.InputIova(slot) - ofB.InputIova(0)));
            Assert.Equal(arena.OutputIova(slot) - arena.InputIova(0), ofB.OutputIova(slot) - ofB.InputIova(0));
            Assert.Equal((nint)(offset + 512), AddressOf(arena.Output(slot, ModulusBytes)) - AddressOf(arena.Input(0, ModulusBytes)));
        }

        Assert.Equal(other.Iova - one.Iova, ofB.KeyIova(other) - ofB.KeyIova(one));
    }

    [Fact]
    public void Key_may_be_read_by_a_device_that_shares_the_arena_and_not_written()
    {
        (_, SharingDevice b, DmaArena arena, ArenaMapping ofB) = Share(SharingDevice.Embedded, SharingDevice.Embedded);
        _ = WriteInput(arena, 0);
        Assert.True(arena.TryWriteKey(Crt, out KeyPlace key));
        Assert.Equal(HpreError.Address, b.Compute(HpreAlgorithm.RsaCrt, ofB.KeyIova(key), ofB.InputIova(0), ofB.KeyIova(key)));
    }

    [Fact]
    public void Arena_that_a_device_has_not_mapped_is_out_of_its_reach()
    {
        SharingDevice a = Own(SharingDevice.Open(SharingDevice.Embedded));
        SharingDevice b = Own(SharingDevice.Open(SharingDevice.Embedded));
        using var arena = new DmaArena(a.Queue, Slots);
        a.Start(Slots);
        b.Start(Slots);
        Assert.True(arena.TryWriteKey(Crt, out KeyPlace key));
        Assert.Equal(HpreError.Address, b.Compute(HpreAlgorithm.RsaCrt, key.Iova, arena.InputIova(0), arena.OutputIova(0)));
    }

    private static TheoryData<string, string> PairsOf(IReadOnlyList<string> first)
    {
        var pairs = new TheoryData<string, string>();
        foreach (string one in first)
        {
            foreach (string other in SharingDevice.Kinds)
            {
                pairs.Add(one, other);
            }
        }

        return pairs;
    }

    private static RSAParameters CreateKey()
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportParameters(includePrivateParameters: true);
    }

    private static unsafe nint AddressOf(Span<byte> bytes) => (nint)Unsafe.AsPointer(ref bytes[0]);

    private static byte[] Power(byte[] input)
    {
        var number = System.Numerics.BigInteger.ModPow(Number(input), Number(Key.D!), Number(Key.Modulus!));
        byte[] bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[ModulusBytes - bytes.Length], .. bytes];
    }

    private static System.Numerics.BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static byte[] WriteInput(DmaArena arena, int slot)
    {
        byte[] input = RandomNumberGenerator.GetBytes(ModulusBytes);
        input[0] = 0;       // less than any modulus
        input.CopyTo(arena.Input(slot, ModulusBytes));
        return input;
    }

    private T Own<T>(T one)
        where T : IDisposable
    {
        _opened.Add(one);
        return one;
    }

    /// <summary>Two devices, the first of which may be a bad one, and an arena that was made for it and is mapped to the second as well.</summary>
    private (SharingDevice A, SharingDevice B, DmaArena Arena, ArenaMapping OfB) Share(string first, string second, string? faults = null)
    {
        // The arena goes last: devices have it mapped.
        var arena = new Late();
        _opened.Add(arena);
        SharingDevice a = Own(SharingDevice.Open(first, faults));
        SharingDevice b = Own(SharingDevice.Open(second));
        arena.Value = new DmaArena(a.Queue, Slots);
        ArenaMapping ofB = arena.Value.MapTo(b.Queue);
        a.Start(Slots);
        b.Start(Slots);
        return (a, b, arena.Value, ofB);
    }

    private sealed class Late : IDisposable
    {
        public DmaArena? Value { get; set; }

        public void Dispose() => Value?.Dispose();
    }
}
