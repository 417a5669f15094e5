using System.Runtime.InteropServices;

namespace WarpDrive.Abi.Uacce;

/// <summary>Argument of <see cref="UacceRequest.SetQueueInfo"/>. Source: Linux include/uapi/misc/uacce/hisi_qm.h, struct hisi_qp_info.
/// <code>
///  0  u32  bytes of a submission (out)      6  u16  entries of the completion ring (out)
///  4  u16  entries of the submission ring (out)      8  u64  reserved
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct QueueInfo
{
    /// <summary>Size of the structure, which is part of the request's number.</summary>
    public const int SizeInBytes = 16;

    /// <summary>Bytes of a submission: 64 for HPRE.</summary>
    [FieldOffset(0)] public uint SubmissionBytes;

    /// <summary>Entries of the submission ring.</summary>
    [FieldOffset(4)] public ushort SubmissionDepth;

    /// <summary>Entries of the completion ring.</summary>
    [FieldOffset(6)] public ushort CompletionDepth;
}
