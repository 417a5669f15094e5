using System.Runtime.InteropServices;
using System.Text.Json;
using WarpDrive.Abi.Vfio;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Driver.VfioUser;

/// <summary>
/// A device in another process, reached through the vfio-user protocol on a Unix socket (accel/README.md). One connection
/// is one device, that is one queue pair. Nothing that the server says is trusted: sizes, descriptors and offsets are
/// checked before they are used.
/// </summary>
/// <remarks>
/// Besides <see cref="LinuxException"/> every member throws <see cref="VfioUserProtocolException"/> when the server answers
/// nonsense; no answer in time is ETIMEDOUT. <see cref="GoneSignal"/> is also readable for the moment in which an answer to a
/// call arrives: whoever it wakes asks <see cref="IsGone"/>.
/// </remarks>
public sealed class VfioUserClient : IVfioDevice
{
    // The structure, one capability of one area, and as much again for what other servers add.
    private const int RegionInfoRoom = 128;
    private const int RegionIoFdsRoom = RegionIoFdsPayload.SizeInBytes + SubRegionIoFd.SizeInBytes;
    private const int MaxRegionInfoRoom = 4096;

    // The largest region has 86016 bytes; what a server says may not take up this process's addresses.
    private const int MaxMappedBytes = 1 << 24;

    private readonly VfioUserConnection _connection;
    private readonly string _path;
    private uint _maxDataTransferBytes;

    private VfioUserClient(VfioUserConnection connection, string path)
    {
        _connection = connection;
        _path = path;
    }

    /// <inheritdoc/>
    public FileDescriptor? GoneSignal => _connection.File;

    /// <inheritdoc/>
    public bool IsGone => _connection.IsBroken;

    /// <summary>Connects to a server and agrees with it on the protocol's version.</summary>
    /// <param name="path">Of its socket.</param>
    /// <param name="timeout">The longest that it may take for an answer, now and later; answers in a row may take a sixteenth of it on average.</param>
    /// <exception cref="LinuxException">Nobody listens there, or the server refused: ENOSPC, for instance, when all its queues are taken; ETIMEDOUT: no answer.</exception>
    /// <exception cref="VfioUserProtocolException">What answers there speaks another protocol.</exception>
    public static VfioUserClient Connect(string path, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        var client = new VfioUserClient(new VfioUserConnection(path, timeout), path);
        try
        {
            client.AgreeOnVersion();
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public VfioDeviceInfo GetInfo()
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetInfo;
        var question = new DeviceInfoPayload { ArgumentSize = DeviceInfoPayload.SizeInBytes };
        using VfioUserReply reply = _connection.Call(Command, AsBytes(question), [], DeviceInfoPayload.SizeInBytes, "device");
        var answer = MemoryMarshal.Read<DeviceInfoPayload>(reply.Payload);
        return new VfioDeviceInfo(answer.Flags, answer.RegionCount, answer.IrqCount);
    }

    /// <inheritdoc/>
    public VfioRegionInfo GetRegionInfo(uint region)
    {
        using VfioUserReply reply = AskRegion(region, RegionInfoPayload.SizeInBytes, out RegionInfoPayload info);
        return new VfioRegionInfo(info.Flags & ~VfioRegionFlags.Capabilities, info.RegionBytes);
    }

    /// <inheritdoc/>
    public MappedMemory MapRegion(uint region)
    {
        VfioUserReply reply = AskRegion(region, RegionInfoRoom, out RegionInfoPayload info);
        try
        {
            if (info.ArgumentSize > RegionInfoRoom)
            {
                // A server with more capabilities: it has sent no descriptor, and has said how much room it needs.
                reply.Dispose();
                reply = AskRegion(region, (int)Math.Min(info.ArgumentSize, MaxRegionInfoRoom), out info);
            }

            if ((info.Flags & VfioRegionFlags.Map) == 0)
            {
                throw new LinuxException("vfio-user mmap", $"{_path}, region {region}, which cannot be mapped", Errno.EINVAL);
            }

            return Map(region, info, reply);
        }
        finally
        {
            reply.Dispose();
        }
    }

    /// <inheritdoc/>
    public EventFd GetRegionIoEventFd(uint region)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetRegionIoFds;
        var question = new RegionIoFdsPayload { ArgumentSize = RegionIoFdsRoom, Region = region };
        using VfioUserReply reply = _connection.Call(Command, AsBytes(question), [], RegionIoFdsPayload.SizeInBytes, $"region {region}");
        var answer = MemoryMarshal.Read<RegionIoFdsPayload>(reply.Payload);
        if (answer.Count == 0)
        {
            throw new LinuxException(Name(Command), $"{_path}, region {region}, which has none", Errno.EINVAL);
        }

        if (answer.Region != region || answer.Count != 1 || reply.Payload.Length < RegionIoFdsRoom)
        {
            throw _connection.Wrong(
                Name(Command),
                $"with region {answer.Region}, {answer.Count} entries, {reply.Payload.Length} bytes; region {region}, 1 entry, {RegionIoFdsRoom} bytes are allowed");
        }

        var entry = MemoryMarshal.Read<SubRegionIoFd>(reply.Payload.AsSpan(RegionIoFdsPayload.SizeInBytes));
        if (entry.Type != SubRegionIoFd.IoEventFd || entry.DescriptorIndex >= (uint)reply.DescriptorCount)
        {
            throw _connection.Wrong(
                Name(Command),
                $"with type {entry.Type}, descriptor {entry.DescriptorIndex} of {reply.DescriptorCount}; type 0 and a descriptor that is there are allowed");
        }

        FileDescriptor file = reply[(int)entry.DescriptorIndex];
        EventFd eventFd = EventFd.Adopt(file);
        reply.Release(file);
        return eventFd;
    }

    /// <inheritdoc/>
    public VfioIrqInfo GetIrqInfo(uint index)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetIrqInfo;
        var question = new IrqInfoPayload { ArgumentSize = IrqInfoPayload.SizeInBytes, Index = index };
        using VfioUserReply reply = _connection.Call(Command, AsBytes(question), [], IrqInfoPayload.SizeInBytes, $"interrupt index {index}");
        var answer = MemoryMarshal.Read<IrqInfoPayload>(reply.Payload);
        return answer.Index == index
            ? new VfioIrqInfo(answer.Flags, answer.Count)
            : throw _connection.Wrong(Name(Command), $"with interrupt index {answer.Index}; {index} is allowed");
    }

    /// <inheritdoc/>
    public void SetIrq(uint index, EventFd? eventFd)
    {
        var request = new SetIrqsPayload
        {
            ArgumentSize = SetIrqsPayload.SizeInBytes,
            Flags = SetIrqsFlags.ActionTrigger | (eventFd is null ? SetIrqsFlags.DataNone : SetIrqsFlags.DataEventFd),
            Index = index,
            Count = eventFd is null ? 0u : 1u,
        };
        FileDescriptor[] descriptors = eventFd is null ? [] : [eventFd.File];
        _connection.Call(VfioUserCommand.DeviceSetIrqs, AsBytes(request), descriptors, 0, $"interrupt index {index}").Dispose();
    }

    /// <inheritdoc/>
    public void ReadRegion(uint region, ulong offset, Span<byte> data)
    {
        const VfioUserCommand Command = VfioUserCommand.RegionRead;
        string what = $"region {region}, {data.Length} bytes at 0x{offset:x}";
        RequireTransfer(Command, what, data.Length);
        var request = new RegionAccessPayload { Offset = offset, Region = region, Count = (uint)data.Length };
        using VfioUserReply reply = _connection.Call(Command, AsBytes(request), [], RegionAccessPayload.SizeInBytes + data.Length, what);
        if (reply.Payload.Length != RegionAccessPayload.SizeInBytes + data.Length)
        {
            throw _connection.Wrong(
                Name(Command),
                $"with {reply.Payload.Length} bytes; {RegionAccessPayload.SizeInBytes + data.Length} are allowed");
        }

        reply.Payload.AsSpan(RegionAccessPayload.SizeInBytes).CopyTo(data);
    }

    /// <inheritdoc/>
    public void WriteRegion(uint region, ulong offset, ReadOnlySpan<byte> data)
    {
        const VfioUserCommand Command = VfioUserCommand.RegionWrite;
        string what = $"region {region}, {data.Length} bytes at 0x{offset:x}";
        RequireTransfer(Command, what, data.Length);
        byte[] request = new byte[RegionAccessPayload.SizeInBytes + data.Length];
        MemoryMarshal.Write(request, new RegionAccessPayload { Offset = offset, Region = region, Count = (uint)data.Length });
        data.CopyTo(request.AsSpan(RegionAccessPayload.SizeInBytes));
        _connection.Call(Command, request, [], RegionAccessPayload.SizeInBytes, what).Dispose();
    }

    /// <inheritdoc/>
    public void MapDma(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access)
    {
        ArgumentNullException.ThrowIfNull(file);
        var request = new DmaMapPayload
        {
            ArgumentSize = DmaMapPayload.SizeInBytes,
            Access = access,
            FileOffset = fileOffset,
            Iova = iova,
            RangeBytes = sizeBytes,
        };
        _connection.Call(VfioUserCommand.DmaMap, AsBytes(request), [file], 0, $"{sizeBytes} bytes at IOVA 0x{iova:x}").Dispose();
    }

    /// <inheritdoc/>
    public void UnmapDma(ulong iova, ulong sizeBytes)
    {
        var request = new DmaUnmapPayload { ArgumentSize = DmaUnmapPayload.SizeInBytes, Iova = iova, RangeBytes = sizeBytes };
        string what = $"{sizeBytes} bytes at IOVA 0x{iova:x}";
        _connection.Call(VfioUserCommand.DmaUnmap, AsBytes(request), [], DmaUnmapPayload.SizeInBytes, what).Dispose();
    }

    /// <inheritdoc/>
    public void Reset() => _connection.Call(VfioUserCommand.DeviceReset, [], [], 0, "device").Dispose();

    /// <summary>Closes the connection; the server frees the queue and forgets the mappings.</summary>
    public void Dispose() => _connection.Dispose();

    private static byte[] AsBytes<T>(in T payload)
        where T : unmanaged =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in payload)).ToArray();

    private static string Name(VfioUserCommand command) => $"vfio-user {VfioUserCommandName.Of(command)}";

    private void AgreeOnVersion()
    {
        const VfioUserCommand Command = VfioUserCommand.Version;
        byte[] text = ProtocolCapabilities.Emulated.ToText();
        byte[] request = new byte[VersionPayload.SizeInBytes + text.Length];
        MemoryMarshal.Write(
            request,
            new VersionPayload { Major = VersionPayload.SupportedMajor, Minor = VersionPayload.SupportedMinor });
        text.CopyTo(request, VersionPayload.SizeInBytes);
        using VfioUserReply reply = _connection.Call(Command, request, [], VersionPayload.SizeInBytes, "version 0.0");
        var version = MemoryMarshal.Read<VersionPayload>(reply.Payload);
        if (version.Major != VersionPayload.SupportedMajor || version.Minor > VersionPayload.SupportedMinor)
        {
            throw _connection.Wrong(
                Name(Command),
                $"with version {version.Major}.{version.Minor}; {VersionPayload.SupportedMajor}.{VersionPayload.SupportedMinor} is allowed");
        }

        try
        {
            ReadOnlySpan<byte> answer = reply.Payload.AsSpan(VersionPayload.SizeInBytes).TrimEnd((byte)0);
            _maxDataTransferBytes = ProtocolCapabilities.Parse(answer).MaxDataTransferBytes;
        }
        catch (JsonException refusal)
        {
            throw _connection.Wrong(Name(Command), $"with a text that is no JSON of limits: {refusal.Message.TrimEnd('.')}");
        }
    }

    private VfioUserReply AskRegion(uint region, int room, out RegionInfoPayload info)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetRegionInfo;
        var question = new RegionInfoPayload { ArgumentSize = (uint)room, Region = region };
        VfioUserReply reply = _connection.Call(Command, AsBytes(question), [], RegionInfoPayload.SizeInBytes, $"region {region}");
        info = MemoryMarshal.Read<RegionInfoPayload>(reply.Payload);
        if (info.Region != region)
        {
            reply.Dispose();
            throw _connection.Wrong(Name(Command), $"with region {info.Region}; {region} is allowed");
        }

        return reply;
    }

    /// <summary>Maps the one area of the region that the server shares, which must start where the region does.</summary>
    private MappedMemory Map(uint region, in RegionInfoPayload info, VfioUserReply reply)
    {
        const string Call = "vfio-user DEVICE_GET_REGION_INFO";
        SparseMapCapability area = FindArea(info, reply.Payload, Call);
        if (area.AreaCount != 1 || area.AreaOffset != 0 || area.AreaBytes is 0 or > MaxMappedBytes || area.AreaBytes > info.RegionBytes)
        {
            throw _connection.Wrong(
                Call,
                $"for region {region} with {area.AreaCount} areas, the first of {area.AreaBytes} bytes at {area.AreaOffset}; 1 area at 0, inside the {info.RegionBytes} bytes of the region, of at most {MaxMappedBytes} bytes is allowed");
        }

        if (reply.DescriptorCount != 1)
        {
            throw _connection.Wrong(Call, $"for region {region} with {reply.DescriptorCount} descriptors; 1 is allowed");
        }

        // A file that is shorter than the mapping, or becomes so, would end this process at the first access (SIGBUS).
        FileDescriptor file = reply[0];
        // Only memory has seals; the size of anything else is not asked for, since the file system of a hostile server need not answer.
        if (!SharedMemory.IsSealedAgainstShrinking(file))
        {
            throw _connection.Wrong(Call, $"for region {region} with a file that is not sealed against shrinking; a memfd with that seal is needed");
        }

        long fileBytes = file.GetSizeBytes();
        if (fileBytes < 0 || info.MapOffset > (ulong)fileBytes || area.AreaBytes > (ulong)fileBytes - info.MapOffset)
        {
            throw _connection.Wrong(
                Call, $"for region {region} with a file of {fileBytes} bytes; {area.AreaBytes} bytes at {info.MapOffset} are needed");
        }

        if (SharedMemory.IsOfHugePages(file))
        {
            throw _connection.Wrong(Call, $"for region {region} with a file of huge pages, of which holes end whoever maps them; a memfd of usual pages is needed");
        }

        return MappedMemory.MapShared(file, (long)info.MapOffset, (int)area.AreaBytes, writable: true, secret: false);
    }

    private SparseMapCapability FindArea(in RegionInfoPayload info, byte[] payload, string call)
    {
        uint at = (info.Flags & VfioRegionFlags.Capabilities) != 0 ? info.CapabilityOffset : 0;

        // Forwards only: offsets that lead back would never end.
        uint least = RegionInfoPayload.SizeInBytes;
        while (at >= least && at <= payload.Length - CapabilityHeader.SizeInBytes)
        {
            ReadOnlySpan<byte> rest = payload.AsSpan((int)at);
            var header = MemoryMarshal.Read<CapabilityHeader>(rest);
            if (header is { Id: SparseMapCapability.Id, Version: SparseMapCapability.LayoutVersion } && rest.Length >= SparseMapCapability.SizeInBytes)
            {
                return MemoryMarshal.Read<SparseMapCapability>(rest);
            }

            least = at + CapabilityHeader.SizeInBytes;
            at = header.Next;
        }

        throw _connection.Wrong(call, $"for region {info.Region}, which can be mapped, without a capability that says where; id 1, version 1 is needed");
    }

    private void RequireTransfer(VfioUserCommand command, string what, int count)
    {
        if ((uint)count > Math.Min(_maxDataTransferBytes, ProtocolCapabilities.Emulated.MaxDataTransferBytes))
        {
            throw new LinuxException(Name(command), $"{_path}, {what}; the server takes {_maxDataTransferBytes}", Errno.EINVAL);
        }
    }
}
