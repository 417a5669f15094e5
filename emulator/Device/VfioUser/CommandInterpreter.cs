using System.Runtime.InteropServices;
using System.Text.Json;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Vfio;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Emulator.VfioUser;

/// <summary>
/// Executes the commands of one client on one queue, which VERSION opens (accel/README.md "vfio-user messages").
/// Knows payloads and descriptors; the connection knows headers and the socket. Used by the server's thread only.
/// </summary>
/// <remarks>Every command throws <see cref="LinuxException"/> with the error number of the reply.</remarks>
internal sealed class CommandInterpreter : IDisposable
{
    private readonly EmulatedAccelerator _accelerator;
    private readonly ProtocolCapabilities _capabilities;
    private readonly UserQuota _quota;
    private readonly uint _user;
    private VirtualQueue? _queue;

    /// <summary>An interpreter that waits for VERSION.</summary>
    /// <param name="accelerator">Whose queue the client gets.</param>
    /// <param name="capabilities">The limits that the client is told.</param>
    /// <param name="quota">How many queues each user has.</param>
    /// <param name="user">Whose process the client is.</param>
    public CommandInterpreter(EmulatedAccelerator accelerator, ProtocolCapabilities capabilities, UserQuota quota, uint user)
    {
        _accelerator = accelerator;
        _capabilities = capabilities;
        _quota = quota;
        _user = user;
    }

    /// <summary>Whether VERSION has opened a queue.</summary>
    public bool IsOpen => _queue is not null;

    /// <summary>Executes one command.</summary>
    /// <param name="command">Its number.</param>
    /// <param name="payload">What followed the header.</param>
    /// <param name="received">Descriptors that came with it; the caller closes them. After a success they are what the command takes.</param>
    /// <param name="reply">Where the reply's payload goes; room for the longest.</param>
    /// <param name="passed">Descriptors that travel with the reply are added; the queue owns them.</param>
    /// <returns>Bytes of the reply's payload.</returns>
    /// <exception cref="LinuxException">The command is refused.</exception>
    public int Execute(
        VfioUserCommand command,
        ReadOnlySpan<byte> payload,
        List<FileDescriptor> received,
        Span<byte> reply,
        List<FileDescriptor> passed)
    {
        if (received.Count > 0 && command is not (VfioUserCommand.DmaMap or VfioUserCommand.DeviceSetIrqs))
        {
            throw Refused(command, $"{received.Count} descriptors; it takes none");
        }

        if (command == VfioUserCommand.Version)
        {
            return Open(payload, reply);
        }

        VirtualQueue queue = _queue ?? throw Refused(command, "VERSION comes first");
        switch (command)
        {
            case VfioUserCommand.DmaMap:
                return MapDma(queue, payload, received);
            case VfioUserCommand.DmaUnmap:
                return UnmapDma(queue, payload, reply);
            case VfioUserCommand.DeviceGetInfo:
                return GetInfo(queue, payload, reply);
            case VfioUserCommand.DeviceGetRegionInfo:
                return GetRegionInfo(queue, payload, reply, passed);
            case VfioUserCommand.DeviceGetRegionIoFds:
                return GetRegionIoFds(queue, payload, reply, passed);
            case VfioUserCommand.DeviceGetIrqInfo:
                return GetIrqInfo(queue, payload, reply);
            case VfioUserCommand.DeviceSetIrqs:
                return SetIrqs(queue, payload, received);
            case VfioUserCommand.RegionRead:
                return ReadRegion(queue, payload, reply);
            case VfioUserCommand.RegionWrite:
                return WriteRegion(queue, payload, reply);
            case VfioUserCommand.DeviceReset:
                RequireSize(command, payload.Length, 0);
                queue.Reset();
                return 0;
            default:
                throw Refused(command, "no command of this device");
        }
    }

    /// <summary>Closes the queue, with all that the client mapped.</summary>
    public void Dispose()
    {
        if (_queue is not null)
        {
            _queue.Dispose();
            _queue = null;
            _quota.Return(_user);
        }
    }

    private static LinuxException Refused(VfioUserCommand command, string why) =>
        new($"vfio-user {VfioUserCommandName.Of(command)}", why, Errno.EINVAL);

    private static void RequireSize(VfioUserCommand command, int seen, int allowed)
    {
        if (seen != allowed)
        {
            throw Refused(command, $"payload of {seen} bytes; it must have {allowed}");
        }
    }

    private static void RequireMinimum(VfioUserCommand command, int seen, int least)
    {
        if (seen < least)
        {
            throw Refused(command, $"payload of {seen} bytes; it must have {least} or more");
        }
    }

    private static void RequireExactArgumentSize(VfioUserCommand command, uint seen, int allowed)
    {
        if (seen != allowed)
        {
            throw Refused(command, $"argsz {seen}; it must be {allowed}");
        }
    }

    /// <summary>For questions, whose argsz is the room for the answer: more than it needs is right, less is not.</summary>
    private static void RequireRoom(VfioUserCommand command, uint seen, int needed)
    {
        if (seen < needed)
        {
            throw Refused(command, $"argsz {seen}; it must be {needed} or more");
        }
    }

    private static T Read<T>(VfioUserCommand command, ReadOnlySpan<byte> payload, int size)
        where T : unmanaged
    {
        RequireSize(command, payload.Length, size);
        return MemoryMarshal.Read<T>(payload);
    }

    /// <summary>A question may be as long as its argsz; what follows its structure says nothing.</summary>
    private static T ReadQuestion<T>(VfioUserCommand command, ReadOnlySpan<byte> payload, int size)
        where T : unmanaged
    {
        RequireMinimum(command, payload.Length, size);
        return MemoryMarshal.Read<T>(payload);
    }

    private int Open(ReadOnlySpan<byte> payload, Span<byte> reply)
    {
        const VfioUserCommand Command = VfioUserCommand.Version;
        if (_queue is not null)
        {
            throw Refused(Command, "a second one on the same connection");
        }

        RequireMinimum(Command, payload.Length, VersionPayload.SizeInBytes);
        var version = MemoryMarshal.Read<VersionPayload>(payload);
        if (version.Major != VersionPayload.SupportedMajor)
        {
            throw Refused(Command, $"major version {version.Major}; it must be {VersionPayload.SupportedMajor}");
        }

        CheckCapabilities(payload[VersionPayload.SizeInBytes..]);
        _quota.Take(_user);
        try
        {
            _queue = _accelerator.OpenVirtualQueue();
        }
        catch
        {
            _quota.Return(_user);
            throw;
        }

        version.Minor = Math.Min(version.Minor, VersionPayload.SupportedMinor);
        MemoryMarshal.Write(reply, version);
        byte[] text = _capabilities.ToText();
        text.CopyTo(reply[VersionPayload.SizeInBytes..]);
        return VersionPayload.SizeInBytes + text.Length;
    }

    /// <summary>
    /// The text may be absent, and ends at its first NUL. Its values do not matter: no reply here is near the defaults of the specification.
    /// </summary>
    private static void CheckCapabilities(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return;
        }

        if (text[^1] != 0)
        {
            throw Refused(VfioUserCommand.Version, "the text does not end with a NUL");
        }

        try
        {
            _ = ProtocolCapabilities.Parse(text[..text.IndexOf((byte)0)]);
        }
        catch (JsonException refusal)
        {
            throw Refused(VfioUserCommand.Version, refusal.Message);
        }
    }

    private static int MapDma(VirtualQueue queue, ReadOnlySpan<byte> payload, List<FileDescriptor> received)
    {
        const VfioUserCommand Command = VfioUserCommand.DmaMap;
        var map = Read<DmaMapPayload>(Command, payload, DmaMapPayload.SizeInBytes);
        RequireExactArgumentSize(Command, map.ArgumentSize, DmaMapPayload.SizeInBytes);
        if (received.Count != 1)
        {
            throw Refused(Command, $"{received.Count} descriptors; it takes one");
        }

        queue.MapDma(received[0], map.FileOffset, map.Iova, map.RangeBytes, map.Access & ~DmaMapPayload.MayBeMapped);
        return 0;
    }

    private static int UnmapDma(VirtualQueue queue, ReadOnlySpan<byte> payload, Span<byte> reply)
    {
        const VfioUserCommand Command = VfioUserCommand.DmaUnmap;
        var unmap = Read<DmaUnmapPayload>(Command, payload, DmaUnmapPayload.SizeInBytes);
        RequireRoom(Command, unmap.ArgumentSize, DmaUnmapPayload.SizeInBytes);
        switch (unmap)
        {
            case { Flags: 0 }:
                queue.UnmapDma(unmap.Iova, unmap.RangeBytes);
                break;
            case { Flags: DmaUnmapPayload.All, Iova: 0, RangeBytes: 0 }:
                queue.UnmapAllDma();
                break;
            default:
                throw Refused(
                    Command, $"flags 0x{unmap.Flags:x}, IOVA 0x{unmap.Iova:x}, {unmap.RangeBytes} bytes; flags must be 0, or 2 with IOVA and size 0");
        }

        MemoryMarshal.Write(reply, unmap);
        return DmaUnmapPayload.SizeInBytes;
    }

    private static int GetInfo(VirtualQueue queue, ReadOnlySpan<byte> payload, Span<byte> reply)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetInfo;
        var question = ReadQuestion<DeviceInfoPayload>(Command, payload, DeviceInfoPayload.SizeInBytes);
        RequireRoom(Command, question.ArgumentSize, DeviceInfoPayload.SizeInBytes);
        VfioDeviceInfo info = queue.GetInfo();
        MemoryMarshal.Write(reply, new DeviceInfoPayload
        {
            ArgumentSize = DeviceInfoPayload.SizeInBytes,
            Flags = info.Flags,
            RegionCount = info.RegionCount,
            IrqCount = info.IrqCount,
        });
        return DeviceInfoPayload.SizeInBytes;
    }

    private static int GetRegionInfo(VirtualQueue queue, ReadOnlySpan<byte> payload, Span<byte> reply, List<FileDescriptor> passed)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetRegionInfo;
        const int Whole = RegionInfoPayload.SizeInBytes + SparseMapCapability.SizeInBytes;
        var question = ReadQuestion<RegionInfoPayload>(Command, payload, RegionInfoPayload.SizeInBytes);
        RequireRoom(Command, question.ArgumentSize, RegionInfoPayload.SizeInBytes);
        VfioRegionInfo info = queue.GetRegionInfo(question.Region);
        FileDescriptor? file = queue.GetRegionFile(question.Region);
        var answer = new RegionInfoPayload
        {
            ArgumentSize = RegionInfoPayload.SizeInBytes,
            Flags = info.Flags,
            Region = question.Region,
            RegionBytes = info.SizeBytes,
        };
        if (file is null)
        {
            MemoryMarshal.Write(reply, answer);
            return RegionInfoPayload.SizeInBytes;
        }

        answer.ArgumentSize = Whole;
        answer.Flags |= VfioRegionFlags.Capabilities;
        answer.CapabilityOffset = RegionInfoPayload.SizeInBytes;
        MemoryMarshal.Write(reply, answer);
        if (question.ArgumentSize < Whole)
        {
            return RegionInfoPayload.SizeInBytes;
        }

        MemoryMarshal.Write(reply[RegionInfoPayload.SizeInBytes..], new SparseMapCapability
        {
            Header = new CapabilityHeader { Id = SparseMapCapability.Id, Version = SparseMapCapability.LayoutVersion },
            AreaCount = 1,
            AreaBytes = info.SizeBytes,
        });
        passed.Add(file);
        return Whole;
    }

    private static int GetRegionIoFds(VirtualQueue queue, ReadOnlySpan<byte> payload, Span<byte> reply, List<FileDescriptor> passed)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetRegionIoFds;
        const int Whole = RegionIoFdsPayload.SizeInBytes + SubRegionIoFd.SizeInBytes;
        var question = ReadQuestion<RegionIoFdsPayload>(Command, payload, RegionIoFdsPayload.SizeInBytes);
        RequireRoom(Command, question.ArgumentSize, RegionIoFdsPayload.SizeInBytes);
        if (question.Flags != 0)
        {
            throw Refused(Command, $"flags 0x{question.Flags:x}; they must be 0");
        }

        // For its refusal of a region that does not exist.
        _ = queue.GetRegionInfo(question.Region);
        if (question.Region != EmulatedRegion.Doorbells)
        {
            MemoryMarshal.Write(reply, new RegionIoFdsPayload { ArgumentSize = RegionIoFdsPayload.SizeInBytes, Region = question.Region });
            return RegionIoFdsPayload.SizeInBytes;
        }

        MemoryMarshal.Write(reply, new RegionIoFdsPayload { ArgumentSize = Whole, Region = question.Region, Count = 1 });
        if (question.ArgumentSize < Whole)
        {
            return RegionIoFdsPayload.SizeInBytes;
        }

        MemoryMarshal.Write(reply[RegionIoFdsPayload.SizeInBytes..], new SubRegionIoFd
        {
            Offset = ParavirtualDoorbell.SubmissionTailOffset,
            RangeBytes = sizeof(uint),
            Type = SubRegionIoFd.IoEventFd,
        });
        passed.Add(queue.DoorbellEvent.File);
        return Whole;
    }

    private static int GetIrqInfo(VirtualQueue queue, ReadOnlySpan<byte> payload, Span<byte> reply)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceGetIrqInfo;
        var question = ReadQuestion<IrqInfoPayload>(Command, payload, IrqInfoPayload.SizeInBytes);
        RequireRoom(Command, question.ArgumentSize, IrqInfoPayload.SizeInBytes);
        VfioIrqInfo info = queue.GetIrqInfo(question.Index);
        MemoryMarshal.Write(reply, new IrqInfoPayload
        {
            ArgumentSize = IrqInfoPayload.SizeInBytes,
            Flags = info.Flags,
            Index = question.Index,
            Count = info.Count,
        });
        return IrqInfoPayload.SizeInBytes;
    }

    /// <summary>Gives the queue an eventfd, takes it away, or fires it; the one interrupt cannot be masked.</summary>
    private static int SetIrqs(VirtualQueue queue, ReadOnlySpan<byte> payload, List<FileDescriptor> received)
    {
        const VfioUserCommand Command = VfioUserCommand.DeviceSetIrqs;
        const SetIrqsFlags EventFds = SetIrqsFlags.DataEventFd | SetIrqsFlags.ActionTrigger;
        const SetIrqsFlags Nothing = SetIrqsFlags.DataNone | SetIrqsFlags.ActionTrigger;
        const SetIrqsFlags Bytes = SetIrqsFlags.DataBool | SetIrqsFlags.ActionTrigger;
        RequireMinimum(Command, payload.Length, SetIrqsPayload.SizeInBytes);
        var irqs = MemoryMarshal.Read<SetIrqsPayload>(payload);
        ReadOnlySpan<byte> data = payload[SetIrqsPayload.SizeInBytes..];
        RequireRoom(Command, irqs.ArgumentSize, SetIrqsPayload.SizeInBytes);
        switch (irqs)
        {
            case { Flags: EventFds, Start: 0, Count: 1 } when received.Count == 1 && data.IsEmpty:
                // The queue keeps a duplicate; the received one is closed with the list.
                queue.SetIrq(irqs.Index, EventFd.Adopt(received[0]));
                return 0;
            case { Flags: EventFds, Start: 0, Count: <= 1 } when received.Count == 0 && data.IsEmpty:
            case { Flags: Nothing, Start: 0, Count: 0 } when received.Count == 0 && data.IsEmpty:
                queue.SetIrq(irqs.Index, null);
                return 0;
            case { Flags: Nothing, Start: 0, Count: 1 } when received.Count == 0 && data.IsEmpty:
                queue.Fire(irqs.Index);
                return 0;
            case { Flags: Bytes, Start: 0, Count: 1 } when received.Count == 0 && data.Length == 1:
                if (data[0] != 0)
                {
                    queue.Fire(irqs.Index);
                }

                return 0;
            default:
                throw Refused(
                    Command,
                    $"flags 0x{(uint)irqs.Flags:x}, start {irqs.Start}, count {irqs.Count}, {data.Length} bytes of data, {received.Count} descriptors; "
                    + "0x24, 0, 1, 0, one gives an eventfd, 0x21, 0, 0, 0, none takes it away, 0x21, 0, 1, 0, none fires it");
        }
    }

    private static int ReadRegion(VirtualQueue queue, ReadOnlySpan<byte> payload, Span<byte> reply)
    {
        const VfioUserCommand Command = VfioUserCommand.RegionRead;
        var access = Read<RegionAccessPayload>(Command, payload, RegionAccessPayload.SizeInBytes);
        RequireTransfer(Command, access.Count);
        queue.ReadRegion(access.Region, access.Offset, reply.Slice(RegionAccessPayload.SizeInBytes, (int)access.Count));
        MemoryMarshal.Write(reply, access);
        return RegionAccessPayload.SizeInBytes + (int)access.Count;
    }

    private static int WriteRegion(VirtualQueue queue, ReadOnlySpan<byte> payload, Span<byte> reply)
    {
        const VfioUserCommand Command = VfioUserCommand.RegionWrite;
        RequireMinimum(Command, payload.Length, RegionAccessPayload.SizeInBytes);
        var access = MemoryMarshal.Read<RegionAccessPayload>(payload);
        RequireTransfer(Command, access.Count);
        RequireSize(Command, payload.Length, RegionAccessPayload.SizeInBytes + (int)access.Count);
        queue.WriteRegion(access.Region, access.Offset, payload[RegionAccessPayload.SizeInBytes..]);
        MemoryMarshal.Write(reply, access);
        return RegionAccessPayload.SizeInBytes;
    }

    private static void RequireTransfer(VfioUserCommand command, uint count)
    {
        if (count > ProtocolCapabilities.Emulated.MaxDataTransferBytes)
        {
            throw Refused(command, $"{count} bytes; at most {ProtocolCapabilities.Emulated.MaxDataTransferBytes} are allowed");
        }
    }
}
