using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

public sealed class SecretArenaTests
{
    [Fact]
    public void Many_secrets_share_a_chunk_and_keep_apart()
    {
        var arena = new SecretArena();
        SecretBlock[] blocks = [.. Enumerable.Range(0, 100).Select(_ => arena.Take(640))];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i].GetSpan().Fill((byte)(i + 1));
        }

        Assert.Equal(SecretArena.ChunkBytes, arena.MappedBytes);
        Assert.All(blocks.Index(), static block => Assert.False(block.Item.GetSpan().ContainsAnyExcept((byte)(block.Index + 1))));
        Array.ForEach(blocks, static block => block.Dispose());
        Assert.Equal(0, arena.MappedBytes);
    }

    [Fact]
    public void Place_of_a_disposed_secret_is_zero_for_the_next_one()
    {
        var arena = new SecretArena();
        using SecretBlock other = arena.Take(320);
        SecretBlock first = arena.Take(320);
        first.GetSpan().Fill(0xFF);
        first.Dispose();
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.GetSpan().Length);
        using SecretBlock second = arena.Take(300);
        Assert.Equal((300, false), (second.GetSpan().Length, second.GetSpan().ContainsAnyExcept((byte)0)));
        Assert.Equal(SecretArena.ChunkBytes, arena.MappedBytes);
    }

    [Fact]
    public void Secrets_of_other_sizes_have_chunks_of_their_own()
    {
        var arena = new SecretArena();
        using SecretBlock small = arena.Take(320);
        using SecretBlock large = arena.Take(SecretArena.ChunkBytes);
        Assert.Equal(2 * SecretArena.ChunkBytes, arena.MappedBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => arena.Take(SecretArena.ChunkBytes + 1));
    }

    [Fact]
    public void Chunk_with_a_free_place_is_filled_before_another_is_mapped()
    {
        const int PerChunk = SecretArena.ChunkBytes / 640;
        var arena = new SecretArena();
        SecretBlock[] blocks = [.. Enumerable.Range(0, 2 * PerChunk).Select(_ => arena.Take(640))];
        blocks[0].Dispose();
        blocks[PerChunk].Dispose();
        using SecretBlock first = arena.Take(640);
        using SecretBlock second = arena.Take(640);
        Assert.Equal(2 * SecretArena.ChunkBytes, arena.MappedBytes);
        using SecretBlock third = arena.Take(640);
        Assert.Equal(3 * SecretArena.ChunkBytes, arena.MappedBytes);
    }

    [Fact]
    public async Task Threads_never_get_the_same_place()
    {
        var arena = new SecretArena();
        await Task.WhenAll(Enumerable.Range(1, 4).Select(thread => Task.Run(() =>
        {
            for (int round = 0; round < 200; round++)
            {
                SecretBlock[] blocks = [.. Enumerable.Range(0, 60).Select(_ => arena.Take(640))];
                Assert.All(blocks, static block => Assert.False(block.GetSpan().ContainsAnyExcept((byte)0)));
                Array.ForEach(blocks, block => block.GetSpan().Fill((byte)thread));
                Assert.All(blocks, block => Assert.False(block.GetSpan().ContainsAnyExcept((byte)thread)));
                Array.ForEach(blocks, static block => block.Dispose());
            }
        })));
        Assert.Equal(0, arena.MappedBytes);
    }
}
