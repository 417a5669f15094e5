using System.Security.Cryptography;

namespace WarpDrive.Linux;

/// <summary>One secret in a <see cref="SecretArena"/>. Whoever disposes must know that no thread uses it any more.</summary>
public sealed class SecretBlock : IDisposable
{
    private readonly SecretArena _arena;
    private readonly SecretArena.Chunk _chunk;
    private readonly int _offset;
    private readonly int _length;
    private int _isDisposed;

    internal SecretBlock(SecretArena arena, SecretArena.Chunk chunk, int offset, int length)
    {
        _arena = arena;
        _chunk = chunk;
        _offset = offset;
        _length = length;
    }

    /// <summary>Whether the memory is locked (never written to swap).</summary>
    public bool IsLocked => _chunk.Memory.IsLocked;

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">They are another secret's by now.</exception>
    public Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);     // acquire: of a Dispose that has ended
        return _chunk.Memory.Slice(_offset, _length);
    }

    /// <summary>Zeroes the secret and gives its place back.</summary>
    public void Dispose()
    {
        // Once, also when two threads dispose.
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            CryptographicOperations.ZeroMemory(_chunk.Memory.Slice(_offset, _length));
            _arena.Return(_chunk, _offset);
        }
    }
}
