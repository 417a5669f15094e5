using System.Runtime.InteropServices;

namespace WarpDrive.Abi.Hpre;

/// <summary>One completion queue entry (CQE) of the HiSilicon queue manager. Source: Linux include/linux/hisi_acc_qm.h, UADK drv/hisi_qm_udrv.c.
/// <code>
///  0  u32  reserved                 8  u16  SQ head: index of the finished SQE     14  u16  bit 0: phase
///  4  u16  command id              10  u16  SQ number: the queue
///  6  u16  reserved                12  u16  reserved
/// </code>
/// What is reserved there tells with the emulated device how the operation was computed (<see cref="Device.DeviceCapabilities.CompletionTimes"/>); hardware has zeros.</summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct CompletionEntry
{
    /// <summary>Size of one entry in the ring.</summary>
    public const int SizeInBytes = 16;

    /// <summary>Where <see cref="StatusAndPhase"/> stands: written last by the device, read first by the host.</summary>
    public const int PhaseOffset = 14;

    /// <summary>Emulated device: when its batch was computed, the low 32 bits of CLOCK_MONOTONIC in nanoseconds.</summary>
    [FieldOffset(0)] public uint ComputedAt;

    /// <summary>Emulated device: operations in its batch; 0: not told.</summary>
    [FieldOffset(6)] public ushort BatchSize;

    /// <summary>Index of the finished submission, 0 to depth - 1.</summary>
    [FieldOffset(8)] public ushort SubmissionIndex;

    /// <summary>Number of the queue.</summary>
    [FieldOffset(10)] public ushort QueueNumber;

    /// <summary>Emulated device: microseconds that its batch took to compute, 65535 at most.</summary>
    [FieldOffset(12)] public ushort ComputeMicroseconds;

    /// <summary>Bit 0 is the phase: 1 on the first trip round the ring, then 0, and so on.</summary>
    [FieldOffset(PhaseOffset)] public ushort StatusAndPhase;
}
