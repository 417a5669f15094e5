using System.Diagnostics;
using System.Runtime.ExceptionServices;
using WarpDrive.Linux;

namespace WarpProxy.LoadTest.Servers;

/// <summary>A process of a server, from its start to its end. Disposing ends it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private const int MaxLines = 20;

    // More than a server needs that has no connection left.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan OutputLimit = TimeSpan.FromSeconds(1);

    // What else a user has set for these programs must not change what is compared.
    private static readonly string[] RemovedVariables =
        ["WARPPROXY_", "ASPNETCORE_", "DOTNET_ENVIRONMENT", "KESTREL__", "REVERSEPROXY__", "LOGGING__", "URLS", "NGINX"];

    private readonly Process _process;
    private readonly Queue<string> _lines = new();
    private readonly Task _readers;
    private readonly OrphanGuard _guard;

    private ServerProcess(string name, Process process)
    {
        Name = name;
        _process = process;
        Id = process.Id;
        _guard = new OrphanGuard(Id);
        _readers = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public string Name { get; }

    public int Id { get; }

    /// <summary>The last lines that it wrote.</summary>
    public string LastWords
    {
        get
        {
            lock (_lines)
            {
                return string.Join(' ', _lines);
            }
        }
    }

    /// <summary>Starts a program that may run on these processors only, with all its threads and children.</summary>
    /// <exception cref="LoadFailure">It cannot be started.</exception>
    public static ServerProcess Start(string name, ServerCommand command, string folder, CpuList cpus)
    {
        var start = new ProcessStartInfo(command.Path, command.Arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string variable in start.Environment.Keys.Where(IsRemoved).ToArray())
        {
            start.Environment.Remove(variable);
        }

        // A child inherits the processors of the thread that starts it: a thread of its own, which nobody else uses afterwards.
        Process? process = null;
        ExceptionDispatchInfo? failure = null;
        var starter = new Thread(() =>
        {
            try
            {
                CpuAffinity.SetCurrent(cpus.Processors);
                process = Process.Start(start);
            }
            catch (Exception exception) when (exception is IOException or System.ComponentModel.Win32Exception)
            {
                failure = ExceptionDispatchInfo.Capture(new LoadFailure($"{name} cannot be started: {exception.Message}", LoadFailure.NothingMeasured));
            }
        });
        starter.Start();
        starter.Join();
        failure?.Throw();
        process!.StandardInput.Close();
        return new ServerProcess(name, process);
    }

    /// <summary>Asks it to end and returns at once.</summary>
    public void Terminate()
    {
        if (!_process.HasExited)
        {
            ProcessSignal.Terminate(Id);
        }
    }

    /// <summary>Ends it and all that it started, at once.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Its exit code once it has ended, and then all its lines are here; null while it runs.</summary>
    public int? FindExitCode()
    {
        if (!_process.HasExited)
        {
            return null;
        }

        // A child that it left behind may hold its end of the pipes: not for ever.
        _readers.Wait(OutputLimit);
        return _process.ExitCode;
    }

    /// <summary>Ends it: asked first, then killed.</summary>
    public void Dispose()
    {
        // First: once the process is waited for, its number may be another one's.
        _guard.Dispose();
        Terminate();
        if (!_process.WaitForExit(StopLimit))
        {
            Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static bool IsRemoved(string variable) =>
        RemovedVariables.Any(removed => variable.StartsWith(removed, StringComparison.OrdinalIgnoreCase));

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                Keep(line.Trim());
            }
        }
    }

    private void Keep(string line)
    {
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > MaxLines)
            {
                _lines.Dequeue();
            }
        }
    }
}
