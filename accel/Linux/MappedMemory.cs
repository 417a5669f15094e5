using System.Buffers;
using System.Runtime.CompilerServices;

namespace WarpDrive.Linux;

/// <summary>
/// A range of mapped memory that this object unmaps when disposed. Reading and writing are for any thread;
/// whoever disposes must know that no thread uses the memory any more: nothing here counts references,
/// since rings are read and written without a lock. There is no finalizer for the same reason.
/// </summary>
public sealed unsafe class MappedMemory : MemoryManager<byte>
{
    private byte* _address;

    private MappedMemory(void* address, int length, bool isLocked)
    {
        _address = (byte*)address;
        Length = length;
        IsLocked = isLocked;
    }

    /// <summary>Length in bytes: what was asked for; the kernel maps whole pages.</summary>
    public int Length { get; }

    /// <summary>Whether the pages are locked in memory (never written to swap).</summary>
    public bool IsLocked { get; }

    /// <summary>Where the memory starts in this process.</summary>
    /// <exception cref="ObjectDisposedException">The memory is unmapped.</exception>
    public ulong Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(_address == null, this);
            return (ulong)_address;
        }
    }

    /// <summary>Private, zeroed, locked memory for secrets: not dumped into core files, not inherited by fork.</summary>
    /// <exception cref="LinuxException">No memory. A refused lock is no error: see <see cref="IsLocked"/>.</exception>
    public static MappedMemory AllocateSecret(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        void* address = Map(length, -1, 0, writable: true, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, "secrets");
        return new MappedMemory(address, length, Protect(address, length));
    }

    /// <summary>
    /// Maps secrets in a file of another process. As <see cref="MapShared"/>, but pages are locked when they are first touched: locking them all now would
    /// take its time, and would allocate those that their owner never had, at this process's expense.
    /// </summary>
    /// <inheritdoc cref="MapShared"/>
    public static MappedMemory MapForeignSecret(FileDescriptor file, long offset, int length, bool writable)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        void* address = Map(length, file.Number, offset, writable, Libc.MAP_SHARED, $"fd {file.Number} at {offset}");
        KeepPrivate(address, length);
        return new MappedMemory(address, length, Libc.mlock2(address, (nuint)length, Libc.MLOCK_ONFAULT) == 0);
    }

    /// <summary>Maps <paramref name="length"/> bytes of a file, shared with everyone else who maps it.</summary>
    /// <param name="file">The file, usually of <see cref="SharedMemory"/>. It may be closed afterwards.</param>
    /// <param name="offset">Where in the file; a multiple of the page size.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="writable">Whether this process may write. A write without it ends the process.</param>
    /// <param name="secret">Whether to lock the pages and keep them out of core files and forks.</param>
    /// <exception cref="LinuxException">The file, offset or length cannot be mapped.</exception>
    public static MappedMemory MapShared(FileDescriptor file, long offset, int length, bool writable, bool secret)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        void* address = Map(length, file.Number, offset, writable, Libc.MAP_SHARED, $"fd {file.Number} at {offset}");
        return new MappedMemory(address, length, secret && Protect(address, length));
    }

    /// <summary>Maps secrets, as <see cref="MapShared"/>, but locks nothing: <see cref="TryLock"/> does, part by part.</summary>
    /// <inheritdoc cref="MapShared"/>
    public static MappedMemory MapUnlockedSecret(FileDescriptor file, long offset, int length)
    {
        MappedMemory memory = MapShared(file, offset, length, writable: true, secret: false);
        KeepPrivate(memory._address, length);
        return memory;
    }

    /// <summary>Locks a part in memory; whole pages. False: the limit of locked memory (ulimit -l) is too low, or there is no memory.</summary>
    public bool TryLock(int offset, int length)
    {
        fixed (byte* part = Slice(offset, length))
        {
            return Libc.mlock(part, (nuint)length) == 0;
        }
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new((void*)Address, Length);

    /// <summary>The bytes from <paramref name="offset"/> on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the memory.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Slice(int offset, int length)
    {
        if ((uint)offset > (uint)Length || (uint)length > (uint)(Length - offset))
        {
            ThrowOutOfRange(offset, length);
        }

        return new Span<byte>((void*)(Address + (uint)offset), length);
    }

    /// <summary>The value at <paramref name="offset"/>, in place: what <see cref="Volatile"/> and <see cref="Interlocked"/> work on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not wholly inside the memory.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T At<T>(int offset)
        where T : unmanaged
    {
        if ((uint)offset > (uint)Length || (uint)sizeof(T) > (uint)(Length - offset))
        {
            ThrowOutOfRange(offset, sizeof(T));
        }

        return ref Unsafe.AsRef<T>((void*)(Address + (uint)offset));
    }

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_address + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <summary>Unmaps. Does not clear: a shared range is others' too; whoever wrote a secret zeroes it first.</summary>
    public void Dispose() => Dispose(disposing: true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        byte* address = _address;
        _address = null;
        if (address != null)
        {
            _ = Libc.munmap(address, (nuint)Length);
        }
    }

    private static void* Map(int length, int fd, long offset, bool writable, int flags, string what)
    {
        int protection = Libc.PROT_READ | (writable ? Libc.PROT_WRITE : 0);
        void* address = Libc.mmap(null, (nuint)length, protection, flags, fd, offset);
        if (address == (void*)-1)
        {
            throw new LinuxException("mmap", $"{what}, {length} bytes");
        }

        return address;
    }

    /// <summary>Returns whether the kernel agreed to lock.</summary>
    private static bool Protect(void* address, int length)
    {
        KeepPrivate(address, length);
        return Libc.mlock(address, (nuint)length) == 0;
    }

    /// <summary>The two advices cannot fail on a range that is mapped.</summary>
    private static void KeepPrivate(void* address, int length)
    {
        _ = Libc.madvise(address, (nuint)length, Libc.MADV_DONTDUMP);
        _ = Libc.madvise(address, (nuint)length, Libc.MADV_DONTFORK);
    }

    private void ThrowOutOfRange(int offset, int length) =>
        throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at {offset} are not inside {Length} bytes.");
}
