using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Idle;

/// <summary>What to measure.</summary>
/// <param name="Connections">At rest at the same time.</param>
/// <param name="Settle">How long they rest before the memory is read.</param>
/// <param name="Tls">1.3 or 1.2.</param>
/// <param name="Cpus">Who runs where.</param>
internal sealed record IdleOptions(int Connections, TimeSpan Settle, string Tls, CpuPlan Cpus)
{
    public const int DefaultConnections = 50_000;

    // A server has a socket per connection and files of its own; nginx counts the idle connections to the origin as well.
    private const int OtherFiles = 512;

    /// <summary>The most that one process can hold with this limit of open files.</summary>
    public static int Possible(long openFiles) => (int)Math.Clamp(openFiles - OtherFiles, 0, int.MaxValue);

    /// <summary>How many there will be.</summary>
    /// <param name="asked">On the command line; null: as many as by default, or as can be.</param>
    /// <param name="openFiles">The limit.</param>
    /// <exception cref="LoadFailure">More are asked for than can be.</exception>
    public static int Choose(int? asked, long openFiles)
    {
        int possible = Possible(openFiles);
        return asked is not int count ? Math.Min(DefaultConnections, possible)
            : count <= possible ? count
            : throw new LoadFailure(
                $"--connections is {count}; with at most {openFiles} open files for a process (ulimit -Hn) it must not be above {possible}.", LoadFailure.BadInput);
    }
}
