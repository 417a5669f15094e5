using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// Looks through all writable memory of this process for words. The words sought are kept masked: the search must not find itself.
/// </summary>
internal static unsafe class ProcessMemory
{
    /// <summary>What a word is combined with by exclusive or before it is kept.</summary>
    public const ulong Mask = 0x5A5A5A5A5A5A5A5A;

    private const int BlockBytes = 1 << 20;

    /// <summary>Fails when one of the words is found, or when a word that was put there is not.</summary>
    public static void AssertAbsent(ulong[] maskedWords)
    {
        Assert.Empty(Found(maskedWords));
        ulong* planted = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *planted = maskedWords[^1] ^ Mask;
        Assert.NotEmpty(Found(maskedWords)); // the search sees what is there
        *planted = 0;
        NativeMemory.Free(planted);
    }

    /// <summary>The addresses that hold one of the words; this thread's stack is passed over, which nobody clears.</summary>
    private static List<string> Found(ulong[] maskedWords)
    {
        var found = new List<string>();
        int local = 0;
        ulong stack = (ulong)&local;
        using SafeFileHandle memory = File.OpenHandle("/proc/self/mem");
        ulong[] block = new ulong[BlockBytes / sizeof(ulong)];
        foreach (string mapping in File.ReadAllLines("/proc/self/maps").Where(line => line.Contains(" rw", StringComparison.Ordinal)))
        {
            string[] range = mapping[..mapping.IndexOf(' ', StringComparison.Ordinal)].Split('-');
            ulong start = ulong.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong end = ulong.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (stack >= start && stack < end)
            {
                continue;
            }

            for (ulong at = start; at < end;)
            {
                int read = Read(memory, block, at, end - at);
                if (read <= 0)
                {
                    break;
                }

                for (int i = 0; i < read / sizeof(ulong); i++)
                {
                    // Most words are zero.
                    if (block[i] != 0 && Array.IndexOf(maskedWords, block[i] ^ Mask) >= 0)
                    {
                        found.Add($"{at + (ulong)(i * sizeof(ulong)):x} in {mapping}");
                    }
                }

                at += (ulong)read;
            }
        }

        Array.Clear(block);
        return found;
    }

    private static int Read(SafeFileHandle memory, ulong[] block, ulong at, ulong limit)
    {
        try
        {
            int words = (int)Math.Min(limit / sizeof(ulong), (ulong)block.Length);
            return RandomAccess.Read(memory, MemoryMarshal.AsBytes(block.AsSpan(0, words)), (long)at);
        }
        catch (IOException)
        {
            return 0; // unmapped by another thread since the list was made
        }
    }
}
