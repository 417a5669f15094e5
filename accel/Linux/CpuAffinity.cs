using System.Globalization;

namespace WarpDrive.Linux;

/// <summary>The processors that threads may run on (sched_setaffinity(2)). A process that a thread starts inherits those of the thread.</summary>
public static unsafe class CpuAffinity
{
    /// <summary>Processors are numbered from 0 and below this: more than any kernel is configured for (NR_CPUS).</summary>
    public const int MaxProcessors = 8192;

    private const int BitsPerWord = 64;
    private const int WordCount = MaxProcessors / BitsPerWord;
    private const int MaskBytes = WordCount * sizeof(ulong);

    /// <summary>The processors of the calling thread, in order.</summary>
    /// <exception cref="LinuxException">A sandbox refuses to say.</exception>
    public static IReadOnlyList<int> Current
    {
        get
        {
            ulong* mask = stackalloc ulong[WordCount];
            if (Libc.sched_getaffinity(0, MaskBytes, mask) != 0)
            {
                throw new LinuxException("sched_getaffinity", "calling thread");
            }

            var processors = new List<int>();
            for (int processor = 0; processor < MaxProcessors; processor++)
            {
                if ((mask[processor / BitsPerWord] & (1UL << (processor % BitsPerWord))) != 0)
                {
                    processors.Add(processor);
                }
            }

            return processors;
        }
    }

    /// <summary>Moves the calling thread to <paramref name="processors"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 0 or not below <see cref="MaxProcessors"/>.</exception>
    /// <exception cref="LinuxException">None of them is online and allowed for this process.</exception>
    public static void SetCurrent(IReadOnlyList<int> processors) => Set(0, "calling thread", processors);

    /// <summary>
    /// Moves all threads of this process to <paramref name="processors"/>, those that .NET starts later too: it gives each the processors of the
    /// main thread, whoever started it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 0 or not below <see cref="MaxProcessors"/>.</exception>
    /// <exception cref="LinuxException">None of them is online and allowed for this process.</exception>
    public static void SetProcess(IReadOnlyList<int> processors)
    {
        // The main thread first, which has the number of the process: threads that start meanwhile then have the new ones.
        Set(Environment.ProcessId, "main thread", processors);
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            int thread = int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
            try
            {
                Set(thread, $"thread {thread}", processors);
            }
            catch (LinuxException gone) when (gone.Error == Errno.ESRCH)
            {
                // It ended since it was listed.
            }
        }
    }

    private static void Set(int thread, string name, IReadOnlyList<int> processors)
    {
        ArgumentNullException.ThrowIfNull(processors);
        ulong* mask = stackalloc ulong[WordCount]; // the compiler zeroes it
        foreach (int processor in processors)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(processor, nameof(processors));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(processor, MaxProcessors, nameof(processors));
            mask[processor / BitsPerWord] |= 1UL << (processor % BitsPerWord);
        }

        if (Libc.sched_setaffinity(thread, MaskBytes, mask) != 0)
        {
            throw new LinuxException("sched_setaffinity", $"{name}, processors {string.Join(',', processors)}");
        }
    }
}
