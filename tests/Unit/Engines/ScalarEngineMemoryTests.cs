using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// Looks through all writable memory of this process for words of a key, in the byte order of OpenSSL's numbers (the key block has the
/// other order, so it does not match). The words sought are kept masked: this class must not find itself.
/// </summary>
public sealed unsafe class ScalarEngineMemoryTests
{
    private const ulong Mask = 0x5A5A5A5A5A5A5A5A;
    private const int BlockBytes = 1 << 20;

    [Theory, InlineData(256), InlineData(384)]
    public void No_word_of_key_or_result_stays_in_memory_after_a_batch(int modulusBytes)
    {
        using var engine = new ScalarEngine();
        var batch = new OperationBatch(4, new byte[OperationBatch.StorageBytes(4)]);
        var sought = new List<ulong>();
        for (int i = 0; i < 4; i++)
        {
            int index = batch.Add(i < 2 ? RsaAlgorithm.Crt : RsaAlgorithm.Plain, modulusBytes);
            Span<byte> key = batch.Key(index);
            int fieldBytes = i < 2 ? modulusBytes / 2 : modulusBytes;
            RandomNumberGenerator.Fill(key);
            RandomNumberGenerator.Fill(batch.Input(index)[1..]);
            for (int start = 0; start < key.Length; start += fieldBytes)
            {
                key[start] |= 0x80;
                key[start + fieldBytes - 1] |= 1;
                sought.Add(MaskedWord(key.Slice(start, fieldBytes)));
            }
        }

        // Again, since what the first run leaves and the second overwrites would be a matter of luck.
        engine.Execute(batch);
        engine.Execute(batch);

        for (int index = 0; index < batch.Count; index++)
        {
            Assert.Equal(RsaStatus.Done, batch[index].Status);
            sought.Add(MaskedWord(batch.Output(index)));
        }

        ulong[] words = [.. sought];
        Assert.Empty(Found(words));
        ulong* planted = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *planted = words[3] ^ Mask;
        Assert.NotEmpty(Found(words)); // the search sees what is there
        *planted = 0;
        NativeMemory.Free(planted);
    }

    /// <summary>The seventh 64-bit word of a number, masked: neither the first nor the last, which are not quite random.</summary>
    private static ulong MaskedWord(ReadOnlySpan<byte> field) => BinaryPrimitives.ReadUInt64BigEndian(field[^56..]) ^ Mask;

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
