using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>
/// One queue pair of an accelerator as the host sees it, whatever carries it: the mapped rings, the doorbells, the way to sleep, the way to share memory.
/// Each transport is one: <see cref="EmulatedDevice"/> and its likes. Owned by one <see cref="QueuePair"/>; not for two threads at once.
/// </summary>
public abstract class DeviceQueue : IDisposable
{
    /// <summary>The device-user-share region: both rings and the stop words.</summary>
    public abstract MappedMemory Rings { get; }

    /// <summary>Entries of each ring, a power of two.</summary>
    public abstract int Depth { get; }

    /// <summary>The number that completions of this queue carry.</summary>
    public abstract ushort QueueNumber { get; }

    /// <summary>What computes, in the device's words.</summary>
    public abstract string EngineName { get; }

    /// <summary>Engines that serve all queues of the device.</summary>
    public abstract int EngineCount { get; }

    /// <summary>Most operations that one engine computes together.</summary>
    public abstract int EngineLanes { get; }

    /// <summary>Bit 0: RSA-1024, bit 1: 2048, bit 2: 3072, bit 3: 4096.</summary>
    public abstract uint KeySizes { get; }

    /// <summary>Whether the device gave the queue up. A load.</summary>
    public abstract bool IsStopped { get; }

    /// <summary>Whether the device went away or gave the queue up. May be a system call.</summary>
    public abstract bool IsGone { get; }

    /// <summary>
    /// Why the device is to get no more work though this queue still answers, in words that end a sentence; null: nothing is known against it. May read a file;
    /// supervisors ask now and then.
    /// </summary>
    public virtual string? FindObstacle() => null;

    /// <summary>Whether the device computes with a modulus of this many bytes.</summary>
    public bool TakesModulus(int modulusBytes) => modulusBytes switch
    {
        128 => (KeySizes & 1) != 0,
        256 => (KeySizes & 2) != 0,
        384 => (KeySizes & 4) != 0,
        512 => (KeySizes & 8) != 0,
        _ => false,
    };

    /// <summary>Starts fetching, with empty rings.</summary>
    /// <exception cref="LinuxException">The queue is started already, or dead.</exception>
    public abstract void Start();

    /// <summary>Memory for an arena of this queue: any, unless the device can only reach its own.</summary>
    /// <param name="name">Shown in /proc/PID/maps; need not be unique.</param>
    /// <param name="sizeBytes">Rounded up to whole pages.</param>
    /// <exception cref="LinuxException">No memory.</exception>
    public virtual DmaMemory Allocate(string name, int sizeBytes) => DmaMemory.Create(name, sizeBytes);

    /// <summary>Announces a part of memory to the device for as long as this queue lives, and says where the device finds it.</summary>
    /// <param name="memory">Of this queue or of another.</param>
    /// <param name="offset">Where the part starts; a multiple of <see cref="DmaAddresses.PieceBytes"/>.</param>
    /// <param name="sizeBytes">Whole pages.</param>
    /// <param name="access">What the device may do; devices that use the process's own page tables may do what the process may.</param>
    /// <exception cref="LinuxException">The device refused.</exception>
    /// <exception cref="AcceleratorException">This device cannot reach this kind of memory.</exception>
    public abstract DmaAddresses MapDma(DmaMemory memory, int offset, int sizeBytes, DmaAccess access);

    /// <summary>Publishes submissions up to <paramref name="tail"/> and wakes the device if it sleeps.</summary>
    public abstract void RingSubmission(uint tail);

    /// <summary>Gives completions before <paramref name="head"/> back to the device.</summary>
    public abstract void RingCompletion(uint head);

    /// <summary>Asks for an interrupt on the next completion. Look at the ring once more before sleeping.</summary>
    public abstract void RequestInterrupt();

    /// <summary>Sleeps until the interrupt, the end of the device, or the end of the time. Needs <see cref="RequestInterrupt"/> before.</summary>
    /// <returns>Whether the interrupt came.</returns>
    /// <exception cref="LinuxException">The wait failed.</exception>
    public abstract bool Sleep(TimeSpan timeout);

    /// <summary>Takes a request for an interrupt back.</summary>
    public abstract void CancelInterrupt();

    /// <summary>
    /// Frees the queue. A device in this process or behind an I/O memory management unit touches nothing any more when this returns; one in another process
    /// notices the end of the connection a little later, so memory that it has mapped must not be used for anything else.
    /// </summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>As <see cref="Dispose()"/>; transports have no finalizer.</summary>
    protected abstract void Dispose(bool disposing);
}
