using System.Runtime.InteropServices;

namespace WarpProxy.LoadTest.Servers;

/// <summary>
/// All processes that a comparison has started. Disposing ends them. Should this program be ended before that, by a second Ctrl-C or SIGTERM
/// or by its terminal, they are killed.
/// </summary>
internal sealed class ServerFleet : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<ServerProcess> _processes = [];
    private readonly List<TemporaryFolder> _folders = [];
    private readonly PosixSignalRegistration[] _registrations;
    private bool _isClosed;
    private int _interruptions;

    public ServerFleet()
    {
        // The first of these two is for others, who end the measurement in order; the second ends the program.
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => KillAtSecond()),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => KillAtSecond()),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, _ => KillAll()),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, _ => KillAll()),
        ];
    }

    /// <summary>Starts one program in a folder of its own.</summary>
    /// <exception cref="LoadFailure">It cannot be started.</exception>
    public ServerProcess Start(string name, ServerCommand command, CpuList cpus) => Start(name, command, AddFolder().Path, cpus);

    /// <summary>Writes a server's files and starts its processes. It may not serve yet: ask it.</summary>
    /// <exception cref="LoadFailure">A process cannot be started, or ended at once.</exception>
    public RunningServer Start(IServerRecipe recipe, ServerIdentity identity, int originPort, CpuList cpus)
    {
        string folder = AddFolder().Path;
        int[] ports = FreePort.Take(2);
        ServerSetup setup = recipe.SetUp(new ServerSite(folder, ports[0], ports[1], originPort));
        identity.WriteTo(folder);
        File.WriteAllText(Path.Combine(folder, setup.ConfigurationFile), setup.Configuration);
        var processes = new List<ServerProcess>();
        foreach (ServerCommand command in setup.Commands)
        {
            ServerProcess process = Start(recipe.Name, command, folder, cpus);
            processes.Add(process);
            if (command.ReadySocket is string socket)
            {
                Readiness.WaitForSocket(Path.Combine(folder, socket), process);
            }
        }

        return new RunningServer(recipe.Name, ports[0], setup, processes);
    }

    /// <summary>Ends these processes, and leaves the others alone.</summary>
    public void Stop(IReadOnlyCollection<ServerProcess> processes)
    {
        lock (_gate)
        {
            _processes.RemoveAll(processes.Contains);
        }

        End(processes);
    }

    public void Dispose()
    {
        ServerProcess[] processes;
        lock (_gate)
        {
            _isClosed = true;
            processes = [.. _processes];
        }

        // The registrations last: while processes end, a second signal kills them.
        End(processes);
        Array.ForEach(_registrations, static registration => registration.Dispose());
        _folders.ForEach(static folder => folder.Dispose());
    }

    private static void End(IReadOnlyCollection<ServerProcess> processes)
    {
        // All are asked before the first is waited for.
        foreach (ServerProcess process in processes)
        {
            process.Terminate();
        }

        foreach (ServerProcess process in processes)
        {
            process.Dispose();
        }
    }

    private TemporaryFolder AddFolder()
    {
        var folder = new TemporaryFolder();
        _folders.Add(folder);
        return folder;
    }

    private ServerProcess Start(string name, ServerCommand command, string folder, CpuList cpus)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            var process = ServerProcess.Start(name, command, folder, cpus);
            _processes.Add(process);
            return process;
        }
    }

    private void KillAtSecond()
    {
        if (Interlocked.Increment(ref _interruptions) > 1) // signals may come on different threads
        {
            KillAll();
        }
    }

    private void KillAll()
    {
        ServerProcess[] processes;
        lock (_gate)
        {
            _isClosed = true; // no other one starts
            processes = [.. _processes];
        }

        foreach (ServerProcess process in processes)
        {
            try
            {
                process.Kill();
            }
            catch (InvalidOperationException)
            {
                // Disposed meanwhile, and so ended.
            }
        }
    }
}

/// <summary>A server that was started.</summary>
/// <param name="Name">Its recipe's.</param>
/// <param name="Port">Of 127.0.0.1, for its clients.</param>
/// <param name="Setup">How.</param>
/// <param name="Processes">All of them, but not what they started themselves.</param>
internal sealed record RunningServer(string Name, int Port, ServerSetup Setup, IReadOnlyList<ServerProcess> Processes);
