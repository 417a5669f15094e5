using System.Diagnostics.CodeAnalysis;

namespace WarpDrive.Linux;

/// <summary>
/// The scheduling policy of the calling thread. Threads that it starts inherit it. Going to and fro between
/// <see cref="SchedulingPolicy.Other"/> and <see cref="SchedulingPolicy.Batch"/> needs no privilege.
/// </summary>
/// <remarks>
/// Through pthread_setschedparam(3), not sched_setscheduler(2): glibc remembers the policy of each thread, and .NET sets what glibc
/// remembers of the creator in every thread that it starts, so that it would undo a change which glibc knows nothing of.
/// </remarks>
public static unsafe class ThreadScheduling
{
    /// <summary>The calling thread's policy.</summary>
    /// <exception cref="LinuxException">A sandbox refuses to say.</exception>
    public static SchedulingPolicy Current
    {
        get
        {
            int policy;
            int priority;
            int error = Libc.pthread_getschedparam(Libc.pthread_self(), &policy, &priority);
            return error == 0
                ? (SchedulingPolicy)(policy & ~Libc.SCHED_RESET_ON_FORK)
                : throw new LinuxException("pthread_getschedparam", "calling thread", error);
        }
    }

    /// <summary>
    /// Moves the calling thread from one policy to another. A thread that has a third policy keeps it: whoever started the process
    /// so meant it.
    /// </summary>
    /// <param name="from">What it is expected to have.</param>
    /// <param name="to"><see cref="SchedulingPolicy.Other"/>, <see cref="SchedulingPolicy.Batch"/> or <see cref="SchedulingPolicy.Idle"/>.</param>
    /// <param name="refusal">Why it was not done.</param>
    /// <returns>False: refused, and everything is as before.</returns>
    public static bool TryChange(
        SchedulingPolicy from, SchedulingPolicy to, [NotNullWhen(false)] out LinuxException? refusal)
    {
        refusal = null;
        try
        {
            if (Current == from)
            {
                // These policies know one priority, zero.
                int priority = 0;
                int error = Libc.pthread_setschedparam(Libc.pthread_self(), (int)to, &priority);
                refusal = error == 0 ? null : new LinuxException("pthread_setschedparam", $"{to}", error);
            }
        }
        catch (LinuxException thrown)
        {
            refusal = thrown;
        }

        return refusal is null;
    }
}
