using System.Runtime.InteropServices;
using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

public sealed partial class DmaTests : IDisposable
{
    private const ushort DmaMap = 2;
    private const ushort DmaUnmap = 3;

    private readonly ServedDevice _device = new();
    private readonly RawClient _client;
    private readonly SharedMemory _memory = SharedMemory.Create("test", 8192, secret: false);

    public DmaTests() => _client = _device.Open();

    public void Dispose()
    {
        _client.Dispose();
        _device.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public void Map_is_answered_empty_and_unmap_with_what_it_was_asked()
    {
        using RawReply mapped = _client.Call(DmaMap, RawClient.DmaMap(), _memory.File);
        Assert.Equal(0u, mapped.Error);
        Assert.Empty(mapped.Payload);
        using RawReply unmapped = _client.Call(DmaUnmap, RawClient.DmaUnmap());
        Assert.Equal(0u, unmapped.Error);
        Assert.Equal(RawClient.DmaUnmap(), unmapped.Payload);
        Assert.Equal(Errno.ENOENT, _client.Error(DmaUnmap, RawClient.DmaUnmap()));
    }

    [Fact]
    public void Map_of_huge_pages_is_refused()
    {
        // Sealed as it should be, but a hole punched into it makes the device fault. Where the kernel makes no such file nobody can send one.
        const uint CloseOnExec = 1, AllowSealing = 2, HugePages = 4;
        const int AddSeals = 1033, Shrink = 2, Grow = 4;
        int number = memfd_create("huge", CloseOnExec | AllowSealing | HugePages);
        if (number < 0)
        {
            Assert.NotEqual(24, Marshal.GetLastPInvokeError());     // EMFILE: no descriptor left
            return;
        }

        using var file = new FileDescriptor(number);
        Assert.Equal(0, ftruncate(number, 2 << 20));
        Assert.Equal(0, fcntl(number, AddSeals, Shrink | Grow));
        Assert.True(SharedMemory.IsSealedAgainstShrinking(file));
        Assert.True(SharedMemory.IsOfHugePages(file));
        Assert.False(SharedMemory.IsOfHugePages(_memory.File));
        Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, RawClient.DmaMap(size: 2 << 20), file));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(uint.MaxValue)]
    public void Map_with_wrong_argsz_is_refused(uint argsz) =>
        Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, RawClient.DmaMap(argsz: argsz), _memory.File));

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(4096)]
    public void Map_with_payload_of_wrong_size_is_refused(int size)
    {
        byte[] payload = RawClient.DmaMap();
        Array.Resize(ref payload, size);
        Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, payload, _memory.File));
    }

    [Theory]
    [InlineData(1ul, 0x10000ul, 4096ul)]
    [InlineData(0ul, 0x10001ul, 4096ul)]
    [InlineData(0ul, 0x10000ul, 4095ul)]
    [InlineData(0ul, 0x10000ul, 0ul)]
    [InlineData(4096ul, 0x10000ul, 8192ul)]
    [InlineData(ulong.MaxValue - 4095, 0x10000ul, 8192ul)]
    [InlineData(0ul, ulong.MaxValue - 4095, 8192ul)]
    public void Map_of_unaligned_empty_or_missing_bytes_is_refused(ulong fileOffset, ulong iova, ulong size) =>
        Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, RawClient.DmaMap(fileOffset: fileOffset, iova: iova, size: size), _memory.File));

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(11)]
    [InlineData(0x8000_0003u)]
    public void Map_with_other_access_is_refused(uint flags) =>
        Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, RawClient.DmaMap(flags: flags), _memory.File));

    [Fact]
    public void Map_of_a_file_that_can_shrink_is_refused()
    {
        string path = Path.GetTempFileName();
        try
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.SetLength(handle, 4096);

            // The handle keeps the number; this object only names it.
            var file = new FileDescriptor((int)handle.DangerousGetHandle());
            Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, RawClient.DmaMap(), file));
            file.SetHandleAsInvalid();
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Map_without_a_descriptor_or_with_two_is_refused()
    {
        Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, RawClient.DmaMap()));
        Assert.Equal(Errno.EINVAL, _client.Error(DmaMap, RawClient.DmaMap(), _memory.File, _memory.File));
        Assert.Equal(0, _client.Error(DmaMap, RawClient.DmaMap(), _memory.File));
    }

    [Fact]
    public void Map_over_another_is_EEXIST_on_this_connection_and_right_on_the_next()
    {
        Assert.Equal(0, _client.Error(DmaMap, RawClient.DmaMap(size: 8192), _memory.File));
        Assert.Equal(Errno.EEXIST, _client.Error(DmaMap, RawClient.DmaMap(iova: 0x11000), _memory.File));
        using RawClient other = _device.Open();
        Assert.Equal(0, other.Error(DmaMap, RawClient.DmaMap(iova: 0x11000), _memory.File));
    }

    [Fact]
    public void Map_beyond_the_limit_is_ENOSPC()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxDmaMaps = 2 });
        using RawClient client = device.Open();
        Assert.Equal(0, client.Error(DmaMap, RawClient.DmaMap(iova: 0x1000), _memory.File));
        Assert.Equal(0, client.Error(DmaMap, RawClient.DmaMap(iova: 0x2000), _memory.File));
        Assert.Equal(Errno.ENOSPC, client.Error(DmaMap, RawClient.DmaMap(iova: 0x3000), _memory.File));
        Assert.Equal(0, client.Error(DmaUnmap, RawClient.DmaUnmap(iova: 0x1000)));
        Assert.Equal(0, client.Error(DmaMap, RawClient.DmaMap(iova: 0x3000), _memory.File));
    }

    [Theory]
    [InlineData(0x10000ul, 4096ul)]
    [InlineData(0x11000ul, 4096ul)]
    [InlineData(0x10000ul, 8193ul)]
    [InlineData(0x20000ul, 8192ul)]
    public void Unmap_of_anything_but_the_whole_range_is_ENOENT(ulong iova, ulong size)
    {
        Assert.Equal(0, _client.Error(DmaMap, RawClient.DmaMap(size: 8192), _memory.File));
        Assert.Equal(Errno.ENOENT, _client.Error(DmaUnmap, RawClient.DmaUnmap(iova, size)));
        Assert.Equal(0, _client.Error(DmaUnmap, RawClient.DmaUnmap(size: 8192)));
    }

    [Theory]
    [InlineData(23, 0)]
    [InlineData(24, 1)]
    [InlineData(24, 2)]
    [InlineData(24, 4)]
    public void Unmap_with_wrong_argsz_or_flags_is_refused(uint argsz, uint flags)
    {
        Assert.Equal(0, _client.Error(DmaMap, RawClient.DmaMap(), _memory.File));
        Assert.Equal(Errno.EINVAL, _client.Error(DmaUnmap, RawClient.DmaUnmap(argsz: argsz, flags: flags)));
    }

    [Fact]
    public void Map_with_the_flag_that_it_may_be_mapped_is_taken() =>
        Assert.Equal(0, _client.Error(DmaMap, RawClient.DmaMap(flags: 7), _memory.File));

    [Fact]
    public void An_identical_map_is_EEXIST_as_well_and_changes_nothing()
    {
        Assert.Equal(0, _client.Error(DmaMap, RawClient.DmaMap(), _memory.File));
        Assert.Equal(Errno.EEXIST, _client.Error(DmaMap, RawClient.DmaMap(), _memory.File));
        Assert.Equal(0, _client.Error(DmaUnmap, RawClient.DmaUnmap()));
        Assert.Equal(Errno.ENOENT, _client.Error(DmaUnmap, RawClient.DmaUnmap()));
    }

    [Fact]
    public void Unmap_of_all_takes_every_mapping_away_and_gives_their_bytes_back()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxMappedBytes = 8192 });
        using RawClient client = device.Open();
        for (int round = 0; round < 3; round++)
        {
            Assert.Equal(0, client.Error(DmaMap, RawClient.DmaMap(iova: 0x1000), _memory.File));
            Assert.Equal(0, client.Error(DmaMap, RawClient.DmaMap(iova: 0x3000), _memory.File));
            Assert.Equal(Errno.ENOSPC, client.Error(DmaMap, RawClient.DmaMap(iova: 0x5000), _memory.File));
            using RawReply reply = client.Call(DmaUnmap, RawClient.DmaUnmap(iova: 0, size: 0, argsz: 4096, flags: 2));
            Assert.Equal(0u, reply.Error);
            Assert.Equal(RawClient.DmaUnmap(iova: 0, size: 0, argsz: 4096, flags: 2), reply.Payload);
            Assert.Equal(Errno.ENOENT, client.Error(DmaUnmap, RawClient.DmaUnmap(iova: 0x1000)));
        }

        // None is nothing to refuse.
        Assert.Equal(0, client.Error(DmaUnmap, RawClient.DmaUnmap(iova: 0, size: 0, flags: 2)));
        Assert.Equal(Errno.EINVAL, client.Error(DmaUnmap, RawClient.DmaUnmap(iova: 0, size: 4096, flags: 2)));
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int file, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int file, int command, int argument);
}
