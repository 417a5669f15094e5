using WarpDrive.Linux;
using WarpProxy.Configuration;

namespace WarpProxy.Hosting;

/// <summary>
/// How the threads of this process share the processors. Lanes, thread pool and sockets run as SCHED_BATCH: one that wakes lets the
/// one that runs finish its slice, where otherwise each of the several hand-overs of a handshake would cost a switch to and fro.
/// The engines of the embedded device stay SCHED_OTHER, so that they run as soon as they are rung for.
/// </summary>
/// <remarks>
/// <para>
/// The price is paid where other processes compete for the processors: a thread of SCHED_BATCH that wakes waits for a slice of theirs, several
/// times a request. Seen, with builds on the same processor: 144 requests a second one after the other on one connection, where SCHED_OTHER made 2,500
/// and stock Kestrel 1,700. <see cref="ProcessorUse.Shared"/> is for there; full handshakes then cost about a tenth more.
/// </para>
/// <para>
/// Inline completions of sockets (DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS, UnsafePreferInlineScheduling) stay off, although they save
/// some switches: whoever copies a large response whose sockets are always ready then never leaves the thread that all connections wait
/// for. Seen: with four downloads under way, a handshake took seconds instead of milliseconds.
/// </para>
/// </remarks>
internal sealed class ProcessThreads
{
    private readonly LinuxException? _refusal;

    private ProcessThreads(LinuxException? refusal) => _refusal = refusal;

    /// <summary>
    /// Called by the first thread before it starts others, since threads inherit the policy. Those that the runtime has started before
    /// (garbage collector, signals) stay as they are.
    /// </summary>
    public static ProcessThreads Prepare()
    {
        ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Batch, out LinuxException? refusal);
        return new ProcessThreads(refusal);
    }

    /// <summary>Called by the same thread, before it starts those that serve: shared processors are used as SCHED_OTHER.</summary>
    public static void Use(ProcessorUse processors)
    {
        if (processors == ProcessorUse.Shared)
        {
            // Everybody may go back to where they came from, so nothing is refused that was not before.
            _ = ThreadScheduling.TryChange(SchedulingPolicy.Batch, SchedulingPolicy.Other, out _);
        }
    }

    /// <summary>Says if it was refused; then everything works, at the price of more switches.</summary>
    public void Report(ILogger logger)
    {
        if (_refusal is not null)
        {
            logger.BatchSchedulingRefused(_refusal.Message);
        }
    }
}
