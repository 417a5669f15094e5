using System.Numerics;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

public sealed unsafe class WindowTableTests : IDisposable
{
    private const int Seed = 20260119;
    private const int Size = 1 << WarpDrive.Engines.Simd.Digits.WindowBits;

    private readonly Random _random = new(Seed);
    private readonly LaneNumbers _memory = new(zero: true);

    private int Lanes => _memory.Lanes;

    public void Dispose() => _memory.Dispose();

    [SimdTheory, LanesData(2), LanesData(3), LanesData(4)]
    internal void Every_index_selects_its_power_in_every_lane_whatever_the_others_select<TLanes>(TLanes width, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var montgomery = new MontgomeryLanes<TLanes>(blocks, _memory.Memory);
        var table = new WindowTable<TLanes>(montgomery.Count, _memory.Memory);
        double* number = _memory.Memory.Take(montgomery.Count);
        double* selected = _memory.Memory.Take(montgomery.Count);
        byte* windows = _memory.Memory.TakeBytes(Lanes);
        var moduli = new BigInteger[Lanes];
        var numbers = new BigInteger[Lanes];
        for (int lane = 0; lane < Lanes; lane++)
        {
            BigInteger top = BigInteger.One << ((512 * blocks) - 1);
            moduli[lane] = (top + EngineKey.Below(top, 64 * blocks, _random)) | 1;
            numbers[lane] = EngineKey.Below(moduli[lane], 64 * blocks, _random);
            _memory.Set(montgomery.Modulus, lane, montgomery.Count, moduli[lane]);
            _memory.Set(number, lane, montgomery.Count, numbers[lane]);
        }

        montgomery.Prepare();
        montgomery.Multiply(number, montgomery.RSquared, number);
        table.Fill(montgomery, number);

        // All lanes alike, all different in several orders, and whatever else.
        BigInteger r = BigInteger.One << (montgomery.Count * LaneNumbers.Bits);
        for (int round = 0; round < 8 * Size; round++)
        {
            int step = round / Size;
            for (int lane = 0; lane < Lanes; lane++)
            {
                windows[lane] = (byte)(step == 7 ? _random.Next(Size) : (round + (step * lane)) % Size);
            }

            table.Select(windows, selected);
            for (int lane = 0; lane < Lanes; lane++)
            {
                BigInteger value = _memory.Value(selected, lane, montgomery.Count);
                BigInteger power = BigInteger.ModPow(numbers[lane], windows[lane], moduli[lane]);
                Assert.True(
                    BigInteger.Abs(value) < moduli[lane] && (value - (power * r)) % moduli[lane] == 0,
                    $"power {windows[lane]} in lane {lane}, seed {Seed}");
            }
        }
    }

    [SimdTheory, LanesData]
    internal void Powers_0_and_1_are_one_and_the_number_digit_by_digit<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var montgomery = new MontgomeryLanes<TLanes>(2, _memory.Memory);
        var table = new WindowTable<TLanes>(montgomery.Count, _memory.Memory);
        double* number = _memory.Memory.Take(montgomery.Count);
        double* selected = _memory.Memory.Take(montgomery.Count);
        byte* windows = _memory.Memory.TakeBytes(Lanes);
        for (int lane = 0; lane < Lanes; lane++)
        {
            BigInteger modulus = (BigInteger.One << 1023) + (2 * lane) + 1;
            _memory.Set(montgomery.Modulus, lane, montgomery.Count, modulus);
            _memory.Set(number, lane, montgomery.Count, (modulus / 3) - lane);
            windows[lane] = (byte)(lane % 2);
        }

        montgomery.Prepare();
        table.Fill(montgomery, number);
        table.Select(windows, selected);
        for (int i = 0; i < montgomery.Count * Lanes; i++)
        {
            Assert.Equal(i % 2 == 0 ? montgomery.One[i] : number[i], selected[i]);
        }
    }
}
