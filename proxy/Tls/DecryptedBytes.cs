using System.Buffers;
using System.Diagnostics;

namespace WarpProxy.Tls;

/// <summary>
/// What was decrypted and not yet consumed: blocks of a memory pool, as many as there are bytes for; none when there are none. One thread at
/// a time.
/// </summary>
internal sealed class DecryptedBytes(MemoryPool<byte> pool)
{
    // A rest smaller than this is left unused: libssl is not called for a handful of bytes.
    private const int MinRoom = 512;

    private Block? _first;
    private Block? _last;
    private Block? _spare;      // the object, without memory, for the next block
    private int _start;         // the first byte not yet consumed, in _first
    private int _end;           // after the last byte, in _last
    private long _examined;     // as an offset from the beginning of the stream

    /// <summary>All of them.</summary>
    public ReadOnlySequence<byte> Sequence => _first is null ? default : new(_first, _start, _last!, _end);

    /// <summary>Whether there are bytes that the consumer has not looked at.</summary>
    public bool HasUnexamined => _last is not null && _last.RunningIndex + _end > _examined;

    /// <summary>Room for more, not empty.</summary>
    public Span<byte> GetRoom()
    {
        if (_last is null || _last.Capacity - _end < MinRoom)
        {
            Block block = _spare ?? new Block();
            _spare = null;
            if (_last is null)
            {
                // Positions count on, so that those of earlier reads stay smaller.
                block.Open(pool.Rent(), _examined);
                _first = block;
                _start = 0;
            }
            else
            {
                _last.Close(_end);
                block.Open(pool.Rent(), _last.RunningIndex + _end);
                _last.Append(block);
            }

            _last = block;
            _end = 0;
        }

        return _last.Room[_end..];
    }

    /// <summary>Takes the first bytes of the room as decrypted. With 0, memory that holds nothing goes back to the pool.</summary>
    public void Advance(int count)
    {
        Debug.Assert(_last is not null && count <= _last.Capacity - _end, "more than the room");
        _end += count;
        if (_end == 0 && _first == _last)
        {
            Clear();
        }
    }

    /// <summary>Drops what was consumed and remembers what was looked at.</summary>
    /// <exception cref="InvalidOperationException">The positions are not of the last sequence.</exception>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_first is null)
        {
            return;     // nothing was there, so the positions are of nothing
        }

        long end = _last!.RunningIndex + _end;
        long consumedOffset = Offset(consumed);
        long examinedOffset = Math.Max(Offset(examined), _examined);
        if (consumedOffset < _first.RunningIndex + _start || consumedOffset > examinedOffset || examinedOffset > end)
        {
            throw new InvalidOperationException("The positions do not belong to the last read.");
        }

        _examined = examinedOffset;
        while (_first is not null && (consumedOffset == end || (_first != _last && consumedOffset >= _first.RunningIndex + _first.Memory.Length)))
        {
            Drop();
        }

        if (_first is not null)
        {
            _start = (int)(consumedOffset - _first.RunningIndex);
        }
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        while (_first is not null)
        {
            Drop();
        }
    }

    private static long Offset(SequencePosition position) =>
        position.GetObject() is Block block ? block.RunningIndex + position.GetInteger() : throw new InvalidOperationException("The position is of no read.");

    private void Drop()
    {
        Block block = _first!;
        _first = block.Next as Block;
        if (_first is null)
        {
            _last = null;
        }

        block.Return();
        _spare = block;
        _start = 0;
    }

    private sealed class Block : ReadOnlySequenceSegment<byte>
    {
        private IMemoryOwner<byte>? _owner;

        public int Capacity => _owner!.Memory.Length;

        public Span<byte> Room => _owner!.Memory.Span;

        public void Open(IMemoryOwner<byte> owner, long runningIndex)
        {
            _owner = owner;
            Memory = owner.Memory;
            RunningIndex = runningIndex;
            Next = null;
        }

        /// <summary>Ends it after its last byte, so that what follows is next to it.</summary>
        public void Close(int length) => Memory = Memory[..length];

        public void Append(Block next) => Next = next;

        public void Return()
        {
            _owner?.Dispose();
            _owner = null;
            Memory = default;
            Next = null;
        }
    }
}
