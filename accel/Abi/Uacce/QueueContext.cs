using System.Runtime.InteropServices;

namespace WarpDrive.Abi.Uacce;

/// <summary>Argument of <see cref="UacceRequest.SetQueueContext"/>. Source: Linux include/uapi/misc/uacce/hisi_qm.h, struct hisi_qp_ctx.
/// <code>
///  0  u16  id: number of the queue, as in doorbells (out)      2  u16  queue class: 0 = RSA and DH, 1 = elliptic curves (in)
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct QueueContext
{
    /// <summary>Size of the structure, which is part of the request's number.</summary>
    public const int SizeInBytes = 4;

    /// <summary>The class that computes RSA.</summary>
    public const ushort RsaClass = 0;

    /// <summary>Number of the queue; written by the kernel.</summary>
    [FieldOffset(0)] public ushort Number;

    /// <summary>Class of algorithms; read by the kernel, which knows 0 and 1.</summary>
    [FieldOffset(2)] public ushort Class;
}
