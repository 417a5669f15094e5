using System.Runtime.InteropServices;
using WarpDrive.Abi.Uacce;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>The fake answers as the kernel does: Linux drivers/misc/uacce/uacce.c and drivers/crypto/hisilicon/qm.c.</summary>
public sealed class FakeUacceQueueTests : IDisposable
{
    private const int DusBytes = 86016;

    private readonly FakeKernel _kernel = new();
    private readonly List<FakeUacceDevice> _devices = [];
    private readonly List<FileDescriptor> _files = [];
    private readonly List<MappedMemory> _mappings = [];

    public void Dispose()
    {
        _mappings.ForEach(_kernel.Unmap);
        _files.ForEach(_kernel.Close);
        _devices.ForEach(static device => device.Dispose());
        _kernel.Dispose();
    }

    [Fact]
    public void Queue_is_started_once()
    {
        FileDescriptor queue = Open(new FakeUacceOptions());
        Assert.Equal(0, Control(queue, UacceRequest.StartQueue));
        Assert.Equal(Errno.EINVAL, ErrorOf(() => Control(queue, UacceRequest.StartQueue)));
    }

    [Fact]
    public void Newer_kernel_stops_a_queue_with_PUT_Q_and_can_start_it_again()
    {
        FileDescriptor queue = Open(new FakeUacceOptions());
        Control(queue, UacceRequest.StartQueue);
        Assert.Equal(0, Control(queue, UacceRequest.PutQueue));
        Assert.Equal(0, Control(queue, UacceRequest.PutQueue));
        Assert.Equal(0, Control(queue, UacceRequest.StartQueue));
    }

    [Fact]
    public void Older_kernel_gives_a_queue_up_with_PUT_Q_and_it_is_free_before_the_file_is_closed()
    {
        FileDescriptor queue = Open(new FakeUacceOptions { PutQueueReleases = true, Instances = 1 });
        Assert.Equal(Errno.EBUSY, ErrorOf(() => Open("hisi_hpre-0")));
        Assert.Equal(0, Control(queue, UacceRequest.PutQueue));
        Assert.Equal(Errno.ENXIO, ErrorOf(() => Control(queue, UacceRequest.PutQueue)));
        Assert.Equal(Errno.ENXIO, ErrorOf(() => Control(queue, UacceRequest.StartQueue)));
        Assert.Equal(Errno.ENXIO, ErrorOf(() => Map(queue, UacceRegion.Dus, DusBytes)));
        Open("hisi_hpre-0");
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, Errno.EINVAL)]
    public void Queue_class_is_0_or_1(ushort queueClass, int error)
    {
        FileDescriptor queue = Open(new FakeUacceOptions());
        var context = new QueueContext { Class = queueClass };
        Assert.Equal(error, ErrorOf(() => _kernel.Control(queue, UacceRequest.SetQueueContext, MemoryMarshal.AsBytes(new Span<QueueContext>(ref context)), "context")));
    }

    [Theory]
    [InlineData(UacceRegion.Dus, DusBytes, 0)]
    [InlineData(UacceRegion.Dus, DusBytes - 4096, Errno.EINVAL)]
    [InlineData(UacceRegion.Dus, DusBytes + 4096, Errno.EINVAL)]
    [InlineData(UacceRegion.Mmio, 8192, 0)]
    [InlineData(UacceRegion.Mmio, 4096, 0)]
    [InlineData(UacceRegion.Mmio, 12288, Errno.EINVAL)]
    [InlineData(UacceRegion.StaticShare, 65536, Errno.EINVAL)]
    [InlineData(3, 4096, Errno.EINVAL)]
    public void Region_has_its_length_or_is_refused(int region, int length, int error)
    {
        FileDescriptor queue = Open(new FakeUacceOptions());
        Assert.Equal(error, ErrorOf(() => Map(queue, region, length)));
    }

    [Fact]
    public void Region_is_mapped_once()
    {
        FileDescriptor queue = Open(new FakeUacceOptions());
        Map(queue, UacceRegion.Dus, DusBytes);
        Assert.Equal(Errno.EEXIST, ErrorOf(() => Map(queue, UacceRegion.Dus, DusBytes)));
    }

    [Fact]
    public void Removed_device_has_dead_queues()
    {
        FileDescriptor queue = Open(new FakeUacceOptions());
        _devices[0].Remove();
        Assert.Equal(Errno.ENXIO, ErrorOf(() => Control(queue, UacceRequest.StartQueue)));
        Assert.Equal(Errno.ENXIO, ErrorOf(() => Map(queue, UacceRegion.Dus, DusBytes)));
        Assert.Equal(Errno.ENOENT, ErrorOf(() => Open("hisi_hpre-0")));
    }

    [Fact]
    public void Queue_is_free_again_when_it_is_closed_and_nothing_of_it_is_mapped()
    {
        FileDescriptor queue = Open(new FakeUacceOptions { Instances = 1 });
        MappedMemory rings = Map(queue, UacceRegion.Dus, DusBytes);
        _kernel.Close(queue);
        _files.Remove(queue);
        Assert.Equal(Errno.EBUSY, ErrorOf(() => Open("hisi_hpre-0")));
        _kernel.Unmap(rings);
        _mappings.Remove(rings);
        Open("hisi_hpre-0");
    }

    [Fact]
    public void Request_that_nobody_knows_is_refused() => Assert.Equal(Errno.EINVAL, ErrorOf(() => Control(Open(new FakeUacceOptions()), 0x5799)));

    private static int ErrorOf(Action call)
    {
        try
        {
            call();
            return 0;
        }
        catch (LinuxException e)
        {
            return e.Error;
        }
    }

    private FileDescriptor Open(FakeUacceOptions options)
    {
        _devices.Add(new FakeUacceDevice(_kernel, "hisi_hpre-0", options));
        return Open("hisi_hpre-0");
    }

    private FileDescriptor Open(string name)
    {
        FileDescriptor file = _kernel.Open(_kernel.Tree.Dev(name));
        _files.Add(file);
        return file;
    }

    private int Control(FileDescriptor file, uint request) => _kernel.Control(file, request, [], $"0x{request:x}");

    private MappedMemory Map(FileDescriptor file, int region, int length)
    {
        MappedMemory memory = _kernel.Map(file, UacceRegion.Offset(region), length);
        _mappings.Add(memory);
        return memory;
    }
}
