using System.Diagnostics;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A program that a test has started: its output line by line, and its end. Disposing kills it when it still runs.</summary>
internal sealed class RunningProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];
    private readonly Task _readers;
    private int? _exitCode;

    private RunningProcess(string name, Process process)
    {
        Name = name;
        Id = process.Id;
        _process = process;
        _readers = Task.WhenAll(ReadAsync(process.StandardOutput, _output), ReadAsync(process.StandardError, _errors));
    }

    public string Name { get; }

    public int Id { get; }

    public bool HasExited => _exitCode is not null || _process.HasExited;

    /// <summary>Lines of standard output so far.</summary>
    public string[] Output => Snapshot(_output);

    /// <summary>Lines of standard error so far.</summary>
    public string[] Errors => Snapshot(_errors);

    public static RunningProcess Start(string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        // Through env(1), which becomes the program: where the tests run in the background of a shell, SIGINT is ignored, and
        // the program would inherit that.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT,TERM", path, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return new RunningProcess(Path.GetFileName(path), process);
    }

    /// <summary>Waits for a line of standard output that may come a moment after what it tells of; there must be no second.</summary>
    public async Task<string> HearAsync(Predicate<string> isIt)
    {
        await Eventually.TrueAsync($"{Name} says so", () => Array.Exists(Output, isIt));
        return Assert.Single(Output, isIt);
    }

    public void Send(Signal signal) => Signals.Send(Id, signal);

    /// <summary>
    /// Does something that the program sees all of, or nothing, since it is stopped meanwhile: as when files that belong together are written one after
    /// the other by somebody whom the machine lets wait in between.
    /// </summary>
    public async Task UnseenAsync(Action change)
    {
        Send(Signal.Stop);
        try
        {
            await Eventually.TrueAsync($"{Name} is stopped", IsStopped);
            change();
        }
        finally
        {
            Send(Signal.Continue);
        }
    }

    /// <summary>Waits until it has ended and all its output is here; returns its exit code, 128 + number after a signal.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan limit)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(limit);
            await _readers.WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{Name} did not end within {limit}.\n{Transcript()}");
        }

        _exitCode = _process.ExitCode;
        return _process.ExitCode;
    }

    /// <summary>All that it said, for a failure's message.</summary>
    public string Transcript()
    {
        string state = HasExited ? $"ended with {_exitCode ?? _process.ExitCode}" : "running";
        return $"--- {Name}, process {Id}, {state}\n{string.Join('\n', Output)}\n{string.Join('\n', Errors.Select(line => "stderr: " + line))}";
    }

    public async ValueTask DisposeAsync()
    {
        if (_exitCode is null)
        {
            if (!HasExited)
            {
                // A stopped process dies of SIGKILL as well.
                Send(Signal.Kill);
            }

            await WaitForExitAsync(TimeSpan.FromSeconds(60));
            _process.Dispose();
        }
    }

    /// <summary>Whether every thread is (state T, proc(5)).</summary>
    private bool IsStopped()
    {
        try
        {
            return Directory.GetDirectories($"/proc/{Id}/task").All(static thread =>
            {
                string stat = File.ReadAllText(Path.Combine(thread, "stat"));
                return stat[stat.LastIndexOf(')')..].StartsWith(") T", StringComparison.Ordinal);
            });
        }
        catch (IOException)
        {
            return false;       // a thread has just ended
        }
    }

    private static async Task ReadAsync(StreamReader reader, List<string> lines)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (lines)
            {
                lines.Add(line);
            }
        }
    }

    private static string[] Snapshot(List<string> lines)
    {
        lock (lines)
        {
            return [.. lines];
        }
    }
}
