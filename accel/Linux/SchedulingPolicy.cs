namespace WarpDrive.Linux;

/// <summary>How the kernel lets a thread compete for a processor (sched(7)). The values are the kernel's.</summary>
public enum SchedulingPolicy
{
    /// <summary>SCHED_OTHER, the default: a thread that wakes may take the processor from one that runs.</summary>
    Other = 0,

    /// <summary>SCHED_FIFO: real time.</summary>
    Fifo = 1,

    /// <summary>SCHED_RR: real time in turns.</summary>
    RoundRobin = 2,

    /// <summary>SCHED_BATCH: the same share as the default, but a thread that wakes lets the one that runs finish its slice.</summary>
    Batch = 3,

    /// <summary>SCHED_IDLE: runs when nobody else wants to.</summary>
    Idle = 5,

    /// <summary>SCHED_DEADLINE.</summary>
    Deadline = 6,
}
