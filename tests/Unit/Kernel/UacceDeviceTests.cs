using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Uacce;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Simulation;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>One queue of hardware: the calls that open it, its memory, its doorbells, its sleep, its end.</summary>
public sealed class UacceDeviceTests : IDisposable
{
    private const int ModulusBytes = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeKernel _kernel = new();
    private readonly List<FakeUacceDevice> _devices = [];
    private readonly KeyPlace[] _places = new KeyPlace[16];

    public void Dispose()
    {
        _devices.ForEach(static device => device.Dispose());
        Assert.Equal((0, 0), (_kernel.OpenCount, _kernel.MappingCount));
        _kernel.Dispose();
    }

    [Fact]
    public void Calls_are_made_in_the_order_of_the_vendors_library()
    {
        Compute(new FakeUacceOptions());
        Assert.Equal(
            [
                "open hisi_hpre-0",
                "mmap 86016 at 4096",
                "mmap 8192 at 0",
                "ioctl UACCE_CMD_QM_SET_QP_CTX",
                "ioctl UACCE_CMD_QM_SET_QP_INFO",
                "ioctl UACCE_CMD_START_Q",
                "ioctl UACCE_CMD_PUT_Q",
                "munmap 86016",
                "munmap 8192",
                "close",
            ],
            _kernel.Calls);
    }

    [Theory]
    [InlineData("hisi_qm_v1")]
    [InlineData("hisi_qm_v2")]
    [InlineData("hisi_qm_v3")]
    public void Operations_run_on_each_version_of_the_queue_manager_and_no_doorbell_is_wrong(string api)
    {
        Compute(new FakeUacceOptions { Api = api }, operations: 5);
        Assert.True(SpinWait.SpinUntil(() => _devices[0].OperationsCompleted == 5, TimeSpan.FromSeconds(60)), "the device counts five");
        Assert.Equal(0, _devices[0].IgnoredDoorbells);
    }

    [Fact]
    public void Operations_go_more_than_once_round_the_rings() => Compute(new FakeUacceOptions(), operations: 2300, together: 16);

    [Fact]
    public void Older_kernel_that_does_not_tell_the_depth_has_the_usual_one()
    {
        using UacceDevice device = Open(new FakeUacceOptions { KnowsQueueInfo = false });
        Assert.Equal(1024, device.Depth);
        Assert.Contains("ioctl UACCE_CMD_QM_SET_QP_INFO errno 22", _kernel.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Queue_is_given_back_whether_PUT_Q_releases_it_or_stops_it(bool putQueueReleases)
    {
        var options = new FakeUacceOptions { PutQueueReleases = putQueueReleases, Instances = 1 };
        Compute(options);
        Assert.Equal(0, _devices[0].QueueCount);
        Open("hisi_hpre-0").Dispose();
    }

    [Fact]
    public void Queue_that_cannot_be_opened_wholly_leaves_nothing_behind()
    {
        _devices.Add(new FakeUacceDevice(_kernel, "hisi_hpre-0", null, static () => new MarkingEngine(1)));
        _kernel.WriteSys("class/uacce/hisi_hpre-0/region_dus_size", "90112");
        LinuxException refusal = Assert.Throws<LinuxException>(() => Open("hisi_hpre-0"));
        Assert.Equal(Errno.EINVAL, refusal.Error);
        Assert.Equal(0, _devices[0].QueueCount);
    }

    [Fact]
    public void With_shared_addresses_the_device_is_told_the_addresses_of_the_process()
    {
        using UacceDevice device = Open(new FakeUacceOptions());
        using DmaMemory memory = device.Allocate("test", 128 * 1024);
        DmaAddresses addresses = device.MapDma(memory, 64 * 1024, 64 * 1024, WarpDrive.Abi.Vfio.DmaAccess.ReadWrite);
        Assert.Equal(memory.Memory.Address + (64 * 1024) + 5, addresses.At(5));
        Assert.DoesNotContain(_kernel.Calls, static call => call.Contains("GET_SS_DMA", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_shared_addresses_memory_is_the_kernels_in_slices_and_they_serve()
    {
        Compute(new FakeUacceOptions { Flags = UacceFlags.NoIommu, HasStaticShare = true }, operations: 40, together: 16);
        string[] calls = [.. _kernel.Calls];
        int start = Array.IndexOf(calls, "mmap 327680 at 8192");
        Assert.True(start > Array.IndexOf(calls, "ioctl UACCE_CMD_QM_SET_QP_INFO"), string.Join('\n', calls));

        // Slices of 2, 3 and the last: as the kernel gave them.
        Assert.Equal(["ioctl UACCE_CMD_GET_SS_DMA", "ioctl UACCE_CMD_GET_SS_DMA"], calls[(start + 1)..(start + 3)]);
        Assert.True(Array.LastIndexOf(calls, "munmap 327680") > Array.IndexOf(calls, "ioctl UACCE_CMD_PUT_Q"));
    }

    [Fact]
    public void With_an_IO_memory_management_unit_one_slice_is_the_whole_region()
    {
        Compute(new FakeUacceOptions { Flags = UacceFlags.Iommu, HasStaticShare = true }, operations: 40, together: 16);
        Assert.Single(_kernel.Calls, static call => call == "ioctl UACCE_CMD_GET_SS_DMA");
    }

    [Fact]
    public void Device_that_shares_memory_in_no_way_is_refused_with_what_to_do()
    {
        using UacceDevice device = Open(new FakeUacceOptions { Flags = UacceFlags.None });
        AcceleratorException refusal = Assert.Throws<AcceleratorException>(() => new DmaArena(device, 16));
        Assert.Equal(
            "Device hisi_hpre-0 has no shared virtual addresses (flags 0), and this kernel has no static-share memory instead; turn on the I/O memory management unit (SMMU) in the firmware.",
            refusal.Message);
    }

    [Fact]
    public void Memory_of_one_queue_without_shared_addresses_is_out_of_reach_of_another()
    {
        using UacceDevice device = Open(new FakeUacceOptions { Flags = UacceFlags.NoIommu, HasStaticShare = true });
        using UacceDevice other = Open("hisi_hpre-0");
        using DmaMemory memory = device.Allocate("test", 65536);
        using DmaMemory hosts = DmaMemory.Create("test", 65536);
        Assert.Throws<AcceleratorException>(() => other.MapDma(memory, 0, 65536, WarpDrive.Abi.Vfio.DmaAccess.Read));
        Assert.Throws<AcceleratorException>(() => device.MapDma(hosts, 0, 65536, WarpDrive.Abi.Vfio.DmaAccess.Read));
        Assert.Throws<AcceleratorException>(() => device.Allocate("test", 65536));
    }

    [Fact]
    public void Poll_tells_of_completions_that_were_reaped_long_ago_once_and_never_again()
    {
        using UacceDevice device = Open(new FakeUacceOptions());
        var arena = new DmaArena(device, 16);
        using (var pair = new QueuePair(device, 16))
        {
            ComputeOne(pair, arena, key: 1, spinTime: Patience);
            Assert.Equal(0, pair.InFlight);
            Assert.True(device.Sleep(TimeSpan.Zero));
            Assert.False(device.Sleep(TimeSpan.Zero));

            // And a pair that sleeps is not misled by it.
            ComputeOne(pair, arena, key: 1, spinTime: Patience);
            ComputeOne(pair, arena, key: 1, spinTime: TimeSpan.Zero);
        }

        arena.Dispose();
    }

    [Fact]
    public void Reset_sets_both_stop_words_and_whoever_waits_learns_it()
    {
        using UacceDevice device = Open(new FakeUacceOptions());
        device.Start();
        Assert.False(device.IsStopped || device.IsGone);
        _devices[0].Reset();
        Assert.True(device.IsStopped && device.IsGone);
        Assert.Equal(1u, device.Rings.At<uint>(86016 - 4));
        Assert.Equal(1u, device.Rings.At<uint>(86016 - 8));
    }

    [Theory]
    [InlineData(86016 - 4, true, true)]
    [InlineData(86016 - 8, false, true)]
    public void Either_stop_word_ends_the_queue_and_one_of_them_all_posting(int offset, bool isStopped, bool isGone)
    {
        using UacceDevice device = Open(new FakeUacceOptions());
        device.Start();
        device.Rings.At<uint>(offset) = 1;
        Assert.Equal((isStopped, isGone), (device.IsStopped, device.IsGone));
    }

    [Fact]
    public void Zeros_that_a_reset_left_are_no_broken_protocol()
    {
        using UacceDevice device = Open(new FakeUacceOptions());
        var arena = new DmaArena(device, 16);
        using (var pair = new QueuePair(device, 16))
        {
            // Once round: from now on zeros are in phase.
            for (int i = 0; i < 1024; i++)
            {
                ComputeOne(pair, arena, key: 1, TimeSpan.Zero);
            }

            _devices[0].Reset();
            device.Rings.Slice(0, device.Rings.Length - 8).Clear();
            Assert.Equal(ReapResult.Empty, pair.TryReap(out _));
        }

        arena.Dispose();
    }

    [Fact]
    public void Isolated_device_is_said_to_be_so_while_its_queue_still_answers()
    {
        using UacceDevice device = Open(new FakeUacceOptions());
        Assert.Null(device.FindObstacle());
        _devices[0].SetIsolated(true);
        Assert.Equal("the kernel isolated hisi_hpre-0 after too many hardware errors", device.FindObstacle());
        Assert.False(device.IsGone);
    }

    private void Compute(FakeUacceOptions options, int operations = 1, int together = 1)
    {
        using UacceDevice device = Open(options);
        var arena = new DmaArena(device, 16);
        using (var pair = new QueuePair(device, 16))
        {
            for (int done = 0; done < operations; done += together)
            {
                int now = Math.Min(together, operations - done);
                for (int i = 0; i < now; i++)
                {
                    Post(pair, arena, (byte)(done + i + 1));
                }

                for (int i = 0; i < now; i++)
                {
                    Reap(pair, arena, TimeSpan.Zero);
                }
            }
        }

        arena.Dispose();
    }

    private void ComputeOne(QueuePair pair, DmaArena arena, byte key, TimeSpan spinTime)
    {
        Post(pair, arena, key);
        Reap(pair, arena, spinTime);
    }

    private void Post(QueuePair pair, DmaArena arena, byte key)
    {
        byte[] block = [.. Enumerable.Repeat(key, 640)];
        Assert.True(arena.TryWriteKey(block, out KeyPlace place));
        int index = pair.NextIndex;
        arena.Input(index, ModulusBytes).Fill((byte)(key + 40));
        var entry = new SubmissionEntry
        {
            Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
            TaskLength1 = (ModulusBytes / 8) - 1,
            KeyIova = place.Iova,
            InputIova = arena.InputIova(index),
            OutputIova = arena.OutputIova(index),
            Tag = key,
        };
        _places[index] = place;
        Assert.True(pair.TryPost(entry));
        pair.Ring();
    }

    private void Reap(QueuePair pair, DmaArena arena, TimeSpan spinTime)
    {
        var waited = System.Diagnostics.Stopwatch.StartNew();
        Completion completion;
        ReapResult result;
        while ((result = pair.TryReap(out completion)) == ReapResult.Empty && waited.Elapsed < Patience)
        {
            pair.Wait(Patience - waited.Elapsed, spinTime);
        }

        Assert.Equal((ReapResult.Completed, HpreError.None), (result, completion.Error));
        byte key = (byte)completion.Tag;
        byte[] expected = new byte[ModulusBytes];
        MarkingEngine.Compute([.. Enumerable.Repeat(key, 640)], [.. Enumerable.Repeat((byte)(key + 40), ModulusBytes)], expected);
        Assert.Equal(expected, arena.Output(completion.Index, ModulusBytes).ToArray());
        arena.EraseKey(_places[completion.Index]);
    }

    private UacceDevice Open(FakeUacceOptions options)
    {
        _devices.Add(new FakeUacceDevice(_kernel, "hisi_hpre-0", options, static () => new MarkingEngine(1)));
        return Open("hisi_hpre-0");
    }

    private UacceDevice Open(string name)
    {
        var discovery = new UacceDiscovery(_kernel.Tree);
        return UacceDevice.Open(discovery, discovery.Find(name)!, _kernel);
    }
}
