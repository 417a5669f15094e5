using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>
/// What to look for in memory. Of each secret every piece of sixteen bytes, so that a part that something else has overwritten around is found too, in all
/// forms that programs give it: as bytes in both orders (the words of OpenSSL's numbers are the reversed bytes), as base64, as text of .NET's, and as the
/// digits of the engines, alone and with those of other lanes between them.
/// </summary>
internal sealed class SecretPatterns
{
    /// <summary>The longest distance from the first to the last byte of a pattern.</summary>
    public const int MaxSpanBytes = 256;

    private const int WindowBytes = 16;
    private const int WindowDigits = 4;
    private const int FilterBits = 22;

    // 47 bits are the SIMD engine's, 52, 44, 29 and 28 those of OpenSSL's and others' vector code.
    private static readonly int[] Radices = [47, 52, 44, 29, 28];
    private static readonly int[] StrideBytes = [8, 32, 64];

    private readonly Dictionary<ulong, List<Pattern>> _patterns = [];
    private readonly ulong[] _filter = new ulong[1 << (FilterBits - 6)];

    /// <summary>The private numbers of an RSA key, and the texts of it.</summary>
    public void AddKey(string name, RSA key, params string[] pems)
    {
        RSAParameters numbers = key.ExportParameters(includePrivateParameters: true);
        foreach ((string part, byte[] number) in new[]
        {
            ("d", numbers.D!), ("p", numbers.P!), ("q", numbers.Q!), ("dp", numbers.DP!), ("dq", numbers.DQ!), ("qinv", numbers.InverseQ!),
        })
        {
            AddBytes($"{name} {part} be", number);
            AddBytes($"{name} {part} le", [.. Enumerable.Reverse(number)]);
            AddDigits($"{name} {part}", new BigInteger(number, isUnsigned: true, isBigEndian: true));
        }

        foreach (string pem in pems)
        {
            AddText(name, pem);
        }
    }

    /// <summary>The modulus of the certificate, which is no secret: whoever searches must find it.</summary>
    public void AddModulus(string name, RSA key)
    {
        byte[] modulus = key.ExportParameters(includePrivateParameters: false).Modulus!;
        AddBytes($"{name} n be", modulus);
        AddBytes($"{name} n le", [.. Enumerable.Reverse(modulus)]);
    }

    /// <summary>Text, its lines, as UTF-8 and as UTF-16. Lines of dashes and headers are left out.</summary>
    public void AddText(string name, string text)
    {
        foreach (string line in text.Split('\n').Where(static line => line.Length >= WindowBytes && !line.Contains("-----", StringComparison.Ordinal) && !line.Contains(':', StringComparison.Ordinal)))
        {
            AddBytes($"{name} text", Encoding.ASCII.GetBytes(line));
            AddBytes($"{name} text utf-16", Encoding.Unicode.GetBytes(line));
        }
    }

    /// <summary>Bytes as they are.</summary>
    public void AddBytes(string name, ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; at + WindowBytes <= bytes.Length; at += WindowBytes)
        {
            Add(new Pattern($"{name} +{at}", [(0, MemoryMarshal.Read<ulong>(bytes[at..])), (8, MemoryMarshal.Read<ulong>(bytes[(at + 8)..]))]));
        }
    }

    /// <summary>Offsets below <paramref name="end"/> where a pattern begins, and the name of the pattern.</summary>
    public List<(int At, string Name)> Find(ReadOnlySpan<byte> memory, int end)
    {
        List<(int, string)> found = [];
        end = Math.Min(end, memory.Length - sizeof(ulong));
        for (int at = 0; at < end; at++)
        {
            ulong word = MemoryMarshal.Read<ulong>(memory[at..]);
            if (word == 0)
            {
                // Most memory is.
                int zeros = memory[at..].IndexOfAnyExcept((byte)0);
                at = zeros < 0 ? end : at + Math.Max(zeros - sizeof(ulong), 0);
                continue;
            }

            int bit = FilterBit(word);
            if ((_filter[bit >> 6] >> (bit & 63) & 1) != 0 && _patterns.TryGetValue(word, out List<Pattern>? patterns))
            {
                foreach (Pattern pattern in patterns)
                {
                    if (pattern.IsAt(memory, at))
                    {
                        found.Add((at, pattern.Name));
                    }
                }
            }
        }

        return found;
    }

    private static int FilterBit(ulong word) => (int)(word * 0x9E3779B97F4A7C15 >> (64 - FilterBits));

    private void AddDigits(string name, BigInteger number)
    {
        foreach (int radix in Radices)
        {
            var mask = (ulong)((BigInteger.One << radix) - 1);
            int count = (int)((number.GetBitLength() + radix - 1) / radix);
            ulong[] digits = [.. Enumerable.Range(0, count).Select(i => (ulong)(number >> (i * radix) & mask))];
            AddDigits($"{name} 2^{radix}", digits);
            if (radix == Radices[0])
            {
                AddDigits($"{name} 2^{radix} real", [.. digits.Select(static digit => BitConverter.DoubleToUInt64Bits(digit))]);
                AddDigits($"{name} 2^{radix} real carried", Carry(digits, radix));
            }
        }
    }

    /// <summary>Digits between minus half and half the base, as the engine's Carry leaves them.</summary>
    private static ulong[] Carry(ulong[] digits, int radix)
    {
        var carried = new ulong[digits.Length];
        double carry = 0;
        double scale = Math.ScaleB(1, radix);
        for (int i = 0; i < digits.Length; i++)
        {
            double next = i == digits.Length - 1 ? 0 : Math.Round(digits[i] / scale, MidpointRounding.ToEven);
            carried[i] = BitConverter.DoubleToUInt64Bits(digits[i] - (next * scale) + carry);
            carry = next;
        }

        return carried;
    }

    private void AddDigits(string name, ulong[] digits)
    {
        foreach (int stride in StrideBytes)
        {
            for (int first = 0; first + WindowDigits <= digits.Length; first += WindowDigits)
            {
                Add(new Pattern($"{name} by {stride} +{first}", [.. Enumerable.Range(0, WindowDigits).Select(i => (i * stride, digits[first + i]))]));
            }
        }
    }

    private void Add(Pattern pattern)
    {
        ulong first = pattern.Words[0].Word;
        Assert.NotEqual(0UL, first);
        if (!_patterns.TryGetValue(first, out List<Pattern>? patterns))
        {
            _patterns[first] = patterns = [];
        }

        patterns.Add(pattern);
        int bit = FilterBit(first);
        _filter[bit >> 6] |= 1UL << (bit & 63);
    }

    private sealed record Pattern(string Name, (int Offset, ulong Word)[] Words)
    {
        public bool IsAt(ReadOnlySpan<byte> memory, int at)
        {
            foreach ((int offset, ulong word) in Words)
            {
                if (at + offset + sizeof(ulong) > memory.Length || MemoryMarshal.Read<ulong>(memory[(at + offset)..]) != word)
                {
                    return false;
                }
            }

            return true;
        }
    }
}
