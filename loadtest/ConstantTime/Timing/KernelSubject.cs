using System.Runtime.InteropServices;
using WarpDrive.Engines.Simd;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>One kernel of the SIMD engine on all lanes, with moduli that stay the same.</summary>
internal sealed unsafe class KernelSubject<TLanes> : TimedSubject
    where TLanes : struct, IDigitLanes
{
    private const int MemoryBytes = 256 * 1024;
    private const int WindowCount = 64;
    private const long HalfBase = 1L << (Bits - 1);

    private readonly Kernel _kernel;
    private readonly KernelData _data;
    private readonly Random _random;
    private readonly MontgomeryLanes<TLanes> _montgomery;
    private readonly WindowTable<TLanes> _table;
    private readonly double[] _first;
    private readonly double[] _drawn;
    private readonly double[][] _slots;
    private readonly byte[] _firstWindows;
    private readonly byte[] _drawnWindows;
    private readonly byte[][] _windowSlots;
    private readonly double* _numbers;
    private readonly double* _result;
    private readonly byte* _windows;
    private byte* _memory;

    public KernelSubject(Kernel kernel, int primeBits, KernelData data, int slots, int seed)
    {
        _kernel = kernel;
        _data = data;
        _random = new Random(seed);
        _memory = (byte*)NativeMemory.AlignedAlloc(MemoryBytes, 64);
        new Span<byte>(_memory, MemoryBytes).Clear();
        var memory = new DigitMemory(_memory, MemoryBytes, TLanes.Count);
        _montgomery = new MontgomeryLanes<TLanes>(BlocksFor(primeBits), memory);
        _table = new WindowTable<TLanes>(_montgomery.Count, memory);
        _numbers = memory.Take(2 * _montgomery.Count);
        _result = memory.Take(_montgomery.Count);
        _windows = memory.TakeBytes(WindowCount * TLanes.Count);
        DrawModuli(primeBits);

        _first = new double[2 * _montgomery.Count * TLanes.Count];
        _drawn = new double[_first.Length];
        _slots = [.. Enumerable.Range(0, slots).Select(_ => new double[_first.Length])];
        _firstWindows = new byte[WindowCount * TLanes.Count];
        _drawnWindows = new byte[_firstWindows.Length];
        _windowSlots = [.. Enumerable.Range(0, slots).Select(_ => new byte[_firstWindows.Length])];
        DrawDigits(_drawn);
        _drawn.AsSpan(0, _montgomery.Count * TLanes.Count).CopyTo(new Span<double>(_result, _montgomery.Count * TLanes.Count));
        _table.Fill(_montgomery, _result);
        if (data == KernelData.Fixed)
        {
            DrawDigits(_first);
            DrawWindows(_firstWindows);
        }
    }

    public override int Repeat => _kernel switch
    {
        Kernel.EarlyExit or Kernel.SkippedMultiplication => 1,
        _ => 16,
    };

    public override void Draw(int slot, bool isRandom)
    {
        DrawDigits(_drawn);
        DrawWindows(_drawnWindows);
        if (_data == KernelData.ZeroLane)
        {
            _drawn.CopyTo(_first, 0);
            for (int i = 3; i < _first.Length; i += TLanes.Count)
            {
                _first[i] = 0;
            }
        }
        else if (_data == KernelData.SomeZeroWindows)
        {
            _drawnWindows.CopyTo(_firstWindows, 0);
            for (int i = 7; i < WindowCount; i += 8)
            {
                _firstWindows.AsSpan(i * TLanes.Count, TLanes.Count).Clear();
            }
        }

        (isRandom ? _drawn : _first).CopyTo(_slots[slot], 0);
        (isRandom ? _drawnWindows : _firstWindows).CopyTo(_windowSlots[slot], 0);
    }

    public override void Load(int slot)
    {
        _slots[slot].CopyTo(new Span<double>(_numbers, _first.Length));
        _slots[slot].CopyTo(new Span<double>(_montgomery.Product, _first.Length));
        _windowSlots[slot].CopyTo(new Span<byte>(_windows, _firstWindows.Length));
    }

    public override void Compute()
    {
        double* second = _numbers + (_montgomery.Count * TLanes.Count);
        switch (_kernel)
        {
            case Kernel.Multiply:
                for (int i = 0; i < Repeat; i++)
                {
                    _montgomery.Multiply(_numbers, second, _result);
                }

                break;
            case Kernel.Square:
                for (int i = 0; i < Repeat; i++)
                {
                    _montgomery.Square(_numbers, _result);
                }

                break;
            case Kernel.Reduce:
                for (int i = 0; i < Repeat; i++)
                {
                    _montgomery.Reduce(_result);
                }

                break;
            case Kernel.Select:
                for (int i = 0; i < Repeat; i++)
                {
                    _table.Select(_windows + (i * TLanes.Count), _result);
                }

                break;
            default:
                Exponentiate();
                break;
        }
    }

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    /// <summary>What an engine must not do: a branch on the windows of a secret exponent.</summary>
    private void Exponentiate()
    {
        int digits = _montgomery.Count * TLanes.Count;
        new Span<double>(_montgomery.One, digits).CopyTo(new Span<double>(_result, digits));
        for (int i = 0; i < WindowCount; i++)
        {
            for (int bit = 0; bit < WindowBits; bit++)
            {
                _montgomery.Square(_result, _result);
            }

            bool isZero = !new ReadOnlySpan<byte>(_windows + (i * TLanes.Count), TLanes.Count).ContainsAnyExcept<byte>(0);
            if (isZero && _kernel == Kernel.EarlyExit)
            {
                return;
            }

            if (!isZero)
            {
                _table.Select(_windows + (i * TLanes.Count), _numbers);
                _montgomery.Multiply(_result, _numbers, _result);
            }
        }
    }

    private void DrawModuli(int primeBits)
    {
        int digits = _montgomery.Count;
        for (int i = 0; i < digits * TLanes.Count; i++)
        {
            _montgomery.Modulus[i] = _random.NextInt64(-HalfBase, HalfBase);
        }

        // The digit of the highest bit, and the ones above it, which are zero; the lowest is odd.
        int top = primeBits / Bits;
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            _montgomery.Modulus[lane] = _random.NextInt64(0, HalfBase / 2) | 1;
            for (int i = top; i < digits; i++)
            {
                _montgomery.Modulus[(i * TLanes.Count) + lane] = 0;
            }

            // Digits below the highest are worth less than one of its units, of either sign.
            long unit = 1L << (primeBits % Bits);
            _montgomery.Modulus[(top * TLanes.Count) + lane] = _random.NextInt64((unit / 2) + 1, unit - 1);
        }

        _montgomery.Prepare();
    }

    /// <summary>Two numbers below the moduli, or one product of such numbers.</summary>
    private void DrawDigits(double[] numbers)
    {
        int used = _montgomery.Count - 1;
        for (int i = 0; i < numbers.Length; i++)
        {
            int digit = i / TLanes.Count % _montgomery.Count;
            numbers[i] = digit < used ? _random.NextInt64(-HalfBase, HalfBase) : 0;
        }
    }

    /// <summary>Windows of 0 to 15, none of them zero in all lanes.</summary>
    private void DrawWindows(byte[] windows)
    {
        _random.NextBytes(windows);
        for (int i = 0; i < windows.Length; i++)
        {
            windows[i] &= (1 << WindowBits) - 1;
        }

        for (int i = 0; i < windows.Length; i += TLanes.Count)
        {
            windows[i] |= 1;
        }
    }
}
