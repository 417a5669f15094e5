namespace WarpDrive.Abi.Uacce;

/// <summary>
/// Numbers of ioctl(2) on the file of a UACCE device. Sources: Linux include/uapi/misc/uacce/uacce.h and hisi_qm.h; the last one is of
/// kernels with static share (openEuler) and of UADK's uacce.h.
/// </summary>
public static class UacceRequest
{
    /// <summary><c>UACCE_CMD_START_Q</c>: the queue, opened and not started, takes submissions. No argument.</summary>
    public const uint StartQueue = 0x5700;

    /// <summary>
    /// <c>UACCE_CMD_PUT_Q</c>: stops the queue at once, since the last close may be late. No argument. Older kernels give the queue up with it, with newer ones it can be
    /// started again.
    /// </summary>
    public const uint PutQueue = 0x5701;

    /// <summary><c>UACCE_CMD_QM_SET_QP_CTX</c>: sets the class of algorithms, tells the number. Argument: <see cref="QueueContext"/>.</summary>
    public const uint SetQueueContext = 0xc004480a;

    /// <summary><c>UACCE_CMD_QM_SET_QP_INFO</c>: tells the sizes of the rings, for all its name. Argument: <see cref="QueueInfo"/>.</summary>
    public const uint SetQueueInfo = 0xc010480b;

    /// <summary><c>UACCE_CMD_GET_SS_DMA</c>: tells where a slice of the static-share region is. Argument: 64 bits, see <see cref="StaticShareSlice"/>.</summary>
    public const uint GetStaticShareDma = 0x80085703;
}
