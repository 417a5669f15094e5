using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Uacce;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>
/// A queue pair of HiSilicon's HPRE hardware, reached through the kernel's UACCE framework: one open file is one queue. Sources: Linux
/// drivers/misc/uacce/uacce.c and drivers/crypto/hisilicon/qm.c; the order of calls is that of UADK's second library (wd.c, drv/hisi_qm_udrv.c).
/// Owned by one <see cref="QueuePair"/>; not for two threads at once.
/// </summary>
public sealed class UacceDevice : DeviceQueue
{
    /// <summary>Entries of each ring where the kernel does not say.</summary>
    internal const int UsualDepth = 1024;

    private const uint AllKeySizes = 0b1111;

    // A queue that dies wakes nobody. Between two looks at its stop words so much of a deadline is lost at most.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(10);

    private readonly IDeviceCalls _calls;
    private readonly UacceDiscovery _discovery;
    private readonly UacceListing _listing;
    private readonly QueueManagerApi _api;
    private readonly FileDescriptor _file;
    private readonly MappedMemory _doorbells;
    private ushort _completionHead;
    private DmaMemory? _staticShare;
    private bool _isClosed;

    private UacceDevice(
        IDeviceCalls calls, UacceDiscovery discovery, UacceListing listing, FileDescriptor file, MappedMemory rings, MappedMemory doorbells, ushort number, int depth)
    {
        _calls = calls;
        _discovery = discovery;
        _listing = listing;
        _api = listing.Api;
        _file = file;
        Rings = rings;
        _doorbells = doorbells;
        QueueNumber = number;
        Depth = depth;
    }

    /// <inheritdoc/>
    public override MappedMemory Rings { get; }

    /// <inheritdoc/>
    public override int Depth { get; }

    /// <inheritdoc/>
    public override ushort QueueNumber { get; }

    /// <inheritdoc/>
    public override string EngineName => $"{_listing.Name}, {_api}";

    /// <summary>1: the kernel does not say how many cores the hardware has.</summary>
    public override int EngineCount => 1;

    /// <summary>1, as above.</summary>
    public override int EngineLanes => 1;

    /// <inheritdoc/>
    public override uint KeySizes => AllKeySizes;

    /// <inheritdoc/>
    public override bool IsStopped => Volatile.Read(ref Rings.At<uint>(UserShareRegion.StopSendingOffset(Rings.Length))) != 0;

    /// <inheritdoc/>
    public override bool IsGone => IsStopped || Volatile.Read(ref Rings.At<uint>(UserShareRegion.StopReceivingOffset(Rings.Length))) != 0;

    private bool HasSharedAddresses => (_listing.Flags & UacceFlags.SharedAddresses) != 0;

    /// <summary>Opens one queue. Does not start it.</summary>
    /// <param name="discovery">Where devices are.</param>
    /// <param name="listing">The device, which must be no <see cref="UacceListing.Misfit"/>.</param>
    /// <param name="calls">The kernel.</param>
    /// <exception cref="LinuxException">No such device (ENOENT, ENODEV), no permission (EACCES), no queue left (EBUSY), or no memory.</exception>
    /// <exception cref="AcceleratorException">It is no device that this driver knows.</exception>
    public static UacceDevice Open(UacceDiscovery discovery, UacceListing listing, IDeviceCalls calls)
    {
        ArgumentNullException.ThrowIfNull(discovery);
        ArgumentNullException.ThrowIfNull(listing);
        ArgumentNullException.ThrowIfNull(calls);
        FileDescriptor file = calls.Open(discovery.PathOf(listing.Name));
        MappedMemory? rings = null;
        MappedMemory? doorbells = null;
        try
        {
            rings = calls.Map(file, UacceRegion.Offset(UacceRegion.Dus), listing.DusBytes);
            doorbells = calls.Map(file, UacceRegion.Offset(UacceRegion.Mmio), listing.MmioBytes);
            var context = new QueueContext { Class = QueueContext.RsaClass };
            calls.Control(file, UacceRequest.SetQueueContext, MemoryMarshal.AsBytes(new Span<QueueContext>(ref context)), "UACCE_CMD_QM_SET_QP_CTX");
            int depth = AskDepth(calls, file, listing);
            return new UacceDevice(calls, discovery, listing, file, rings, doorbells, context.Number, depth);
        }
        catch
        {
            Unmap(calls, rings);
            Unmap(calls, doorbells);
            calls.Close(file);
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Start() => _calls.Control(_file, UacceRequest.StartQueue, [], "UACCE_CMD_START_Q");

    /// <inheritdoc/>
    public override string? FindObstacle() =>
        _listing.IsIsolated is not null && _discovery.IsIsolated(_listing.Name) == true ? $"the kernel isolated {_listing.Name} after too many hardware errors" : null;

    /// <inheritdoc/>
    public override DmaMemory Allocate(string name, int sizeBytes)
    {
        if (HasSharedAddresses)
        {
            return base.Allocate(name, sizeBytes);
        }

        if (_staticShare is not null)
        {
            throw new AcceleratorException($"Device {_listing.Name} gives a queue memory once, since it has no shared virtual addresses.");
        }

        bool isContiguous = (_listing.Flags & UacceFlags.Iommu) != 0;
        int unit = isContiguous ? Environment.SystemPageSize : StaticShareSlice.UnitBytes;
        int length = checked((sizeBytes + unit - 1) / unit * unit);
        MappedMemory memory = MapStaticShare(length);
        try
        {
            // Secrets stand there, but nothing needs to be done for them: the kernel allocated it for the device, maps it as I/O memory, which core
            // files leave out, gives it to no child, and never swaps it.
            _staticShare = new DmaMemory(memory, isContiguous ? AskContiguous(length) : AskSlices(length), _calls.Unmap);
            return _staticShare;
        }
        catch
        {
            _calls.Unmap(memory);
            throw;
        }
    }

    /// <inheritdoc/>
    public override DmaAddresses MapDma(DmaMemory memory, int offset, int sizeBytes, DmaAccess access)
    {
        ArgumentNullException.ThrowIfNull(memory);
        if (HasSharedAddresses)
        {
            // The device walks the page tables of this process: there is nothing to announce, and whatever the process has mapped it reaches.
            return DmaAddresses.Contiguous(memory.Memory.Address + (ulong)offset, sizeBytes);
        }

        return memory == _staticShare && memory.DeviceAddresses is { } addresses
            ? addresses.Part(offset, sizeBytes)
            : throw new AcceleratorException($"Device {_listing.Name} has no shared virtual addresses, and reaches the memory alone that it allocated itself.");
    }

    /// <inheritdoc/>
    public override void RingSubmission(uint tail) => Ring(DoorbellCommand.Submission, (ushort)tail, interrupt: false);

    /// <inheritdoc/>
    public override void RingCompletion(uint head)
    {
        _completionHead = (ushort)head;
        Ring(DoorbellCommand.Completion, _completionHead, interrupt: false);
    }

    /// <inheritdoc/>
    public override void RequestInterrupt()
    {
        Ring(DoorbellCommand.Completion, _completionHead, interrupt: true);

        // Full barrier: the request is stored before the ring is looked at again.
        Interlocked.MemoryBarrier();
    }

    /// <inheritdoc/>
    public override bool Sleep(TimeSpan timeout) =>

        // What poll tells is news of the kernel's own cursor, which it then moves on: also of completions that were reaped long ago, and never twice of one. So its
        // answer only ends the sleep, and what is in the ring counts.
        _calls.WaitReadable(_file, timeout < LongestSleep ? timeout : LongestSleep);

    /// <summary>Nothing: the next completion's doorbell takes it back, and an interrupt that comes before wakes nobody.</summary>
    public override void CancelInterrupt()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        try
        {
            // Closing may be late, when a child of this process has the file too.
            _calls.Control(_file, UacceRequest.PutQueue, [], "UACCE_CMD_PUT_Q");
        }
        catch (LinuxException)
        {
            // A queue that died is stopped.
        }

        _calls.Unmap(Rings);
        _calls.Unmap(_doorbells);
        _calls.Close(_file);
    }

    private static int AskDepth(IDeviceCalls calls, FileDescriptor file, UacceListing listing)
    {
        var info = new QueueInfo();
        try
        {
            calls.Control(file, UacceRequest.SetQueueInfo, MemoryMarshal.AsBytes(new Span<QueueInfo>(ref info)), "UACCE_CMD_QM_SET_QP_INFO");
        }
        catch (LinuxException)
        {
            // Older kernels do not know it, and all their queues are alike.
            return UsualDepth;
        }

        // They are reckoned with: what the kernel mapped must hold the rings.
        int depth = info.SubmissionDepth;
        return info.SubmissionBytes == SubmissionEntry.SizeInBytes && info.CompletionDepth == depth && depth >= DeviceUserShare.MinDepth && BitOperations.IsPow2(depth)
            && UserShareRegion.LeastBytes(depth) <= listing.DusBytes
            ? depth
            : throw new AcceleratorException(string.Create(
                CultureInfo.InvariantCulture,
                $"Device {listing.Name} has submissions of {info.SubmissionBytes} bytes and rings of {depth} and {info.CompletionDepth} entries in {listing.DusBytes} bytes; submissions of {SubmissionEntry.SizeInBytes} bytes and two rings alike, a power of two, are needed."));
    }

    private MappedMemory MapStaticShare(int length)
    {
        try
        {
            return _calls.Map(_file, UacceRegion.Offset(UacceRegion.StaticShare), length);
        }
        catch (LinuxException e) when (e.Error == Errno.EINVAL)
        {
            throw new AcceleratorException(
                $"Device {_listing.Name} has no shared virtual addresses (flags {(uint)_listing.Flags}), and this kernel has no static-share memory instead; turn on the I/O memory management unit (SMMU) in the firmware.", e);
        }
    }

    private DmaAddresses AskContiguous(int length)
    {
        _ = AskSlice(0, out StaticShareSlice slice);
        return DmaAddresses.Contiguous(slice.Address, length);
    }

    private DmaAddresses AskSlices(int length)
    {
        var pieces = new ulong[length / DmaAddresses.PieceBytes];
        int known = 0;
        bool isMore = true;
        for (int index = 0; isMore; index++)
        {
            isMore = AskSlice(index, out StaticShareSlice slice);
            if (slice.Units == 0 || slice.Units > pieces.Length - known)
            {
                throw Misshapen(known + slice.Units, pieces.Length);
            }

            for (int unit = 0; unit < slice.Units; unit++)
            {
                pieces[known++] = slice.Address + ((ulong)unit * StaticShareSlice.UnitBytes);
            }
        }

        return known == pieces.Length ? new DmaAddresses(pieces) : throw Misshapen(known, pieces.Length);
    }

    private bool AskSlice(int index, out StaticShareSlice slice)
    {
        ulong word = (ulong)index;
        int more = _calls.Control(_file, UacceRequest.GetStaticShareDma, MemoryMarshal.AsBytes(new Span<ulong>(ref word)), "UACCE_CMD_GET_SS_DMA");
        slice = StaticShareSlice.Decode(word);
        return more > 0;
    }

    private AcceleratorException Misshapen(int units, int needed) => new(string.Create(
        CultureInfo.InvariantCulture, $"Device {_listing.Name} says that its static-share memory has {units} pieces of 64 KiB; it was asked for {needed}."));

    private void Ring(DoorbellCommand command, ushort index, bool interrupt)
    {
        // Full barrier: the entries are written, or have been read, before the doorbell that says so, which is no ordinary memory.
        Interlocked.MemoryBarrier();
        Volatile.Write(ref _doorbells.At<ulong>(_api.DoorbellOffset), _api.Encode(new Doorbell(QueueNumber, command, index, interrupt)));
    }

    private static void Unmap(IDeviceCalls calls, MappedMemory? memory)
    {
        if (memory is not null)
        {
            calls.Unmap(memory);
        }
    }
}
