namespace WarpDrive.Linux;

/// <summary>
/// Locked memory for many small secrets: a page for each would soon be more than may be locked (ulimit -l), and more mappings than a process may
/// have. Chunks are unmapped when they are empty. Any thread may call any member, also of the blocks.
/// </summary>
public sealed class SecretArena
{
    /// <summary>What is mapped and locked at a time; the longest secret.</summary>
    public const int ChunkBytes = 64 * 1024;

    private const int AlignmentBytes = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, List<Chunk>> _open = [];       // chunks with a free place, by the size of their places; under _gate

    /// <summary>Bytes mapped for secrets of this arena.</summary>
    public long MappedBytes { get; private set; }

    /// <summary>What so many blocks of this length take.</summary>
    public static long MappedBytesOf(int length, long count)
    {
        long perChunk = ChunkBytes / PlaceBytes(length);
        return (count + perChunk - 1) / perChunk * ChunkBytes;
    }

    /// <summary>Takes a block, which is zero. Disposing it zeroes it again.</summary>
    /// <exception cref="LinuxException">No memory. A refused lock is no error: see <see cref="SecretBlock.IsLocked"/>.</exception>
    public SecretBlock Take(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, ChunkBytes);
        int placeBytes = PlaceBytes(length);
        lock (_gate)
        {
            if (!_open.TryGetValue(placeBytes, out List<Chunk>? chunks))
            {
                _open[placeBytes] = chunks = [];
            }

            if (chunks.Count == 0)
            {
                chunks.Add(new Chunk(placeBytes));
                MappedBytes += ChunkBytes;
            }

            Chunk chunk = chunks[^1];
            int offset = chunk.Free.Pop();
            if (chunk.Free.Count == 0)
            {
                chunks.RemoveAt(chunks.Count - 1);
            }

            return new SecretBlock(this, chunk, offset, length);
        }
    }

    private static int PlaceBytes(int length) => (length + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;

    internal void Return(Chunk chunk, int offset)
    {
        lock (_gate)
        {
            List<Chunk> chunks = _open[chunk.PlaceBytes];
            if (chunk.Free.Count == 0)
            {
                chunks.Add(chunk);
            }

            chunk.Free.Push(offset);
            if (chunk.Free.Count == chunk.PlaceCount)
            {
                chunks.Remove(chunk);
                chunk.Memory.Dispose();
                MappedBytes -= ChunkBytes;
            }
        }
    }

    /// <summary>Places of one size, side by side.</summary>
    internal sealed class Chunk
    {
        public Chunk(int placeBytes)
        {
            PlaceBytes = placeBytes;
            PlaceCount = ChunkBytes / placeBytes;
            Memory = MappedMemory.AllocateSecret(ChunkBytes);
            Free = new Stack<int>(Enumerable.Range(0, PlaceCount).Reverse().Select(place => place * placeBytes));
        }

        public int PlaceBytes { get; }

        public int PlaceCount { get; }

        public MappedMemory Memory { get; }

        public Stack<int> Free { get; }     // offsets; under the arena's gate
    }
}
