using System.Runtime.InteropServices;

namespace WarpProxy.Tests.EndToEnd.Strangers;

/// <summary>Memory with a file behind it, mapped: one that the device sent, or one of our own for keys and numbers.</summary>
internal sealed unsafe partial class StrangerMemory : IDisposable
{
    private const int AddSeals = 1033;
    private const int SealShrink = 2;

    private readonly byte* _start;
    private readonly int _length;

    /// <summary>Maps a file that the device sent, and closes it.</summary>
    public StrangerMemory(int descriptor, int length, bool keep = false)
    {
        Descriptor = descriptor;
        _length = length;

        // PROT_READ | PROT_WRITE, MAP_SHARED.
        _start = mmap(null, (nuint)length, 1 | 2, 1, descriptor, 0);
        Assert.True((nint)_start != -1, Marshal.GetLastPInvokeErrorMessage());
        if (!keep)
        {
            StrangerSocket.Close(descriptor);
        }
    }

    /// <summary>The file, of memory that is our own.</summary>
    public int Descriptor { get; }

    public Span<byte> Span => new(_start, _length);

    /// <summary>A memfd that cannot shrink.</summary>
    public static StrangerMemory Create(int length)
    {
        // MFD_CLOEXEC | MFD_ALLOW_SEALING.
        int descriptor = memfd_create("stranger", 1 | 2);
        Assert.True(descriptor >= 0, Marshal.GetLastPInvokeErrorMessage());
        Assert.Equal(0, ftruncate(descriptor, length));
        Assert.Equal(0, fcntl(descriptor, AddSeals, SealShrink));
        return new StrangerMemory(descriptor, length, keep: true);
    }

    /// <summary>Two bytes that the device may change meanwhile, in one load.</summary>
    public ushort LoadU16(int offset) => Volatile.Read(ref *(ushort*)(_start + offset));

    public void Dispose() => _ = munmap(_start, (nuint)_length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int fd, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial byte* mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);
}
