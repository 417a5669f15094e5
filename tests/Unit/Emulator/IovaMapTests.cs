using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;
using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Emulator;

public sealed class IovaMapTests : IDisposable
{
    private const ulong Page = 4096;

    private readonly IovaMap _map = new(maxMaps: 4, maxBytes: 16 * 4096);
    private readonly SharedMemory _file = SharedMemory.Create("test-iova", 8 * 4096, secret: false);

    public void Dispose()
    {
        _map.Dispose();
        _file.Dispose();
    }

    [Fact]
    public void Range_translates_to_the_bytes_of_its_file()
    {
        _file.Memory.GetSpan()[(2 * 4096) + 5] = 77;
        Map(Page, 0x10000, 3 * Page);
        Assert.True(_map.TryTranslate(0x10000 + Page + 5, 10, DmaAccess.ReadWrite, out Span<byte> memory));
        Assert.Equal(10, memory.Length);
        Assert.Equal(77, memory[0]);
    }

    [Theory]
    [InlineData(0x10000, 3 * 4096, true)]
    [InlineData(0x10000, (3 * 4096) + 1, false)]
    [InlineData(0x0ffff, 1, false)]
    [InlineData(0x0ffff, 2, false)]
    [InlineData(0x12fff, 1, true)]
    [InlineData(0x12fff, 2, false)]
    [InlineData(0x13000, 1, false)]
    [InlineData(ulong.MaxValue, 2, false)]
    [InlineData(ulong.MaxValue - 100, 512, false)]
    [InlineData(0, 512, false)]
    public void Only_ranges_wholly_inside_a_mapping_translate(ulong iova, int length, bool expected)
    {
        Map(0, 0x10000, 3 * Page);
        Assert.Equal(expected, _map.TryTranslate(iova, length, DmaAccess.Read, out _));
    }

    [Fact]
    public void Range_over_two_mappings_that_touch_does_not_translate()
    {
        Map(0, 0x10000, Page);
        Map(Page, 0x11000, Page);
        Assert.True(_map.TryTranslate(0x10fff, 1, DmaAccess.Read, out _));
        Assert.True(_map.TryTranslate(0x11000, 1, DmaAccess.Read, out _));
        Assert.False(_map.TryTranslate(0x10fff, 2, DmaAccess.Read, out _));
    }

    [Fact]
    public void Mapping_at_the_end_of_the_address_space_translates_to_its_last_byte()
    {
        Map(0, ulong.MaxValue - Page + 1, Page);
        Assert.True(_map.TryTranslate(ulong.MaxValue, 1, DmaAccess.Read, out _));
        Assert.False(_map.TryTranslate(ulong.MaxValue, 2, DmaAccess.Read, out _));
    }

    [Theory]
    [InlineData(DmaAccess.Read, true, false, false)]
    [InlineData(DmaAccess.Write, false, true, false)]
    [InlineData(DmaAccess.ReadWrite, true, true, true)]
    public void Access_is_what_was_mapped(DmaAccess mapped, bool read, bool write, bool both)
    {
        Map(0, 0x10000, Page, mapped);
        Assert.Equal(read, _map.TryTranslate(0x10000, 1, DmaAccess.Read, out _));
        Assert.Equal(write, _map.TryTranslate(0x10000, 1, DmaAccess.Write, out _));
        Assert.Equal(both, _map.TryTranslate(0x10000, 1, DmaAccess.ReadWrite, out _));
    }

    [Theory]
    [InlineData(0x11000, 1)]
    [InlineData(0x10000, 1)]
    [InlineData(0x12000, 1)]
    [InlineData(0x0f000, 2)]
    [InlineData(0x0f000, 5)]
    [InlineData(0x12000, 2)]
    public void Overlap_is_refused_with_EEXIST(ulong iova, ulong pages)
    {
        Map(0, 0x10000, 3 * Page);
        AssertRefused(Errno.EEXIST, () => Map(0, iova, pages * Page));
        Assert.Equal(1, _map.Count);
    }

    [Theory]
    [InlineData(1, 0x10000, 4096)]
    [InlineData(0, 0x10001, 4096)]
    [InlineData(0, 0x10000, 4095)]
    [InlineData(0, 0x10000, 0)]
    [InlineData(0, 0xffff_ffff_ffff_f000, 8192)]
    [InlineData(8 * 4096, 0x10000, 4096)]
    [InlineData(7 * 4096, 0x10000, 8192)]
    [InlineData(0xffff_ffff_ffff_f000, 0x10000, 4096)]
    [InlineData(0x7fff_ffff_ffff_f000, 0x10000, 4096)]
    public void Unaligned_empty_and_too_long_ranges_are_refused_with_EINVAL(ulong fileOffset, ulong iova, ulong size) =>
        AssertRefused(Errno.EINVAL, () => Map(fileOffset, iova, size));

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(7)]
    public void Unknown_access_is_refused_with_EINVAL(uint access) =>
        AssertRefused(Errno.EINVAL, () => Map(0, 0x10000, Page, (DmaAccess)access));

    [Fact]
    public void File_that_could_shrink_is_refused_with_EINVAL()
    {
        using var file = new FileDescriptor(memfd_create("test-unsealed", 2));
        Assert.Equal(0, ftruncate(file.Number, 4096));
        AssertRefused(Errno.EINVAL, () => Map(0, 0x10000, Page, DmaAccess.ReadWrite, file));
    }

    [Fact]
    public void Descriptor_without_a_size_is_refused_with_EINVAL()
    {
        using var eventFd = new EventFd();
        AssertRefused(Errno.EINVAL, () => Map(0, 0x10000, Page, DmaAccess.ReadWrite, eventFd.File));
    }

    [Fact]
    public void Fifth_mapping_of_four_is_refused_with_ENOSPC_and_one_returned_makes_room()
    {
        for (ulong i = 0; i < 4; i++)
        {
            Map(0, i * Page, Page);
        }

        AssertRefused(Errno.ENOSPC, () => Map(0, 4 * Page, Page));
        _map.Remove(2 * Page, Page).Dispose();
        Map(0, 4 * Page, Page);
        Assert.False(_map.TryTranslate(2 * Page, 1, DmaAccess.Read, out _));
        Assert.True(_map.TryTranslate(3 * Page, 1, DmaAccess.Read, out _));
    }

    [Fact]
    public void Bytes_over_the_limit_are_refused_with_ENOSPC()
    {
        Map(0, 0x10000, 8 * Page);
        Map(0, 0x20000, 7 * Page);
        AssertRefused(Errno.ENOSPC, () => Map(0, 0x30000, 2 * Page));
        AssertRefused(Errno.ENOSPC, () => Map(0, 0x30000, 17 * Page));
        Map(0, 0x30000, Page);
    }

    [Theory]
    [InlineData(0x10000, 4096)]
    [InlineData(0x11000, 8192)]
    [InlineData(0x20000, 12288)]
    [InlineData(0x10000, 16384)]
    public void Unmapping_another_range_than_was_mapped_is_refused_with_ENOENT(ulong iova, ulong size)
    {
        Map(0, 0x10000, 3 * Page);
        AssertRefused(Errno.ENOENT, () => _map.Remove(iova, size));
        Assert.Equal(1, _map.Count);
    }

    [Fact]
    public void Mappings_made_in_any_order_are_found()
    {
        int[] order = [3, 0, 2, 1];
        foreach (int i in order)
        {
            Map((ulong)i * Page, (ulong)(2 * i) * Page, Page);
            _file.Memory.GetSpan()[i * 4096] = (byte)(i + 1);
        }

        for (int i = 0; i < 4; i++)
        {
            Assert.True(_map.TryTranslate((ulong)(2 * i) * Page, 4096, DmaAccess.ReadWrite, out Span<byte> memory));
            Assert.Equal(i + 1, memory[0]);
            Assert.False(_map.TryTranslate((ulong)((2 * i) + 1) * Page, 1, DmaAccess.Read, out _));
        }
    }

    private static void AssertRefused(int error, Action action) => Assert.Equal(error, Assert.Throws<LinuxException>(action).Error);

    [DllImport("libc", CharSet = CharSet.Ansi)]
    private static extern int memfd_create(string name, uint flags);

    [DllImport("libc")]
    private static extern int ftruncate(int fd, long length);

    private void Map(ulong fileOffset, ulong iova, ulong size, DmaAccess access = DmaAccess.ReadWrite, FileDescriptor? file = null)
    {
        MappedMemory memory = _map.MapFile(file ?? _file.File, fileOffset, iova, size, access);
        try
        {
            _map.Add(iova, memory, access);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }
}
