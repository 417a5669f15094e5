using System.Buffers.Binary;
using System.Security.Cryptography;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// Looks through all writable memory of this process for words of a key, in the byte order of OpenSSL's numbers (the key block has the
/// other order, so it does not match).
/// </summary>
public sealed class ScalarEngineMemoryTests
{
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

        ProcessMemory.AssertAbsent([.. sought]);
    }

    /// <summary>The seventh 64-bit word of a number, masked: neither the first nor the last, which are not quite random.</summary>
    private static ulong MaskedWord(ReadOnlySpan<byte> field) => BinaryPrimitives.ReadUInt64BigEndian(field[^56..]) ^ ProcessMemory.Mask;
}
