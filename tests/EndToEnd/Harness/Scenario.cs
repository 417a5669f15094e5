using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>
/// A directory and the processes of one test. At the end the processes are killed, the directory is removed, and all that
/// the processes said goes to the test's output, which is shown when it failed.
/// </summary>
internal sealed class Scenario(ITestOutputHelper? output) : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-e2e-");
    private readonly List<RunningProcess> _processes = [];

    public Scenario()
        : this(null)
    {
    }

    /// <summary>Path of a file in the directory; nothing is made.</summary>
    public string File(string name) => Path.Combine(_directory.FullName, name);

    public string Write(string name, string content)
    {
        System.IO.File.WriteAllText(File(name), content);
        return File(name);
    }

    /// <summary>
    /// Starts a program. Nothing of the user's is read or written: the data directory is the scenario's, and the cache, where a
    /// program keeps how fast its engines are, that of all tests.
    /// </summary>
    public RunningProcess Start(string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var all = new Dictionary<string, string> { ["XDG_DATA_HOME"] = File("data"), ["XDG_CACHE_HOME"] = TestCache.Directory };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            all[name] = value;
        }

        var process = RunningProcess.Start(path, arguments, all);
        lock (_processes)
        {
            _processes.Add(process);
        }

        return process;
    }

    /// <summary>What every process said so far.</summary>
    public string Transcript()
    {
        lock (_processes)
        {
            return string.Join('\n', _processes.Select(process => process.Transcript()));
        }
    }

    public async ValueTask DisposeAsync()
    {
        output?.WriteLine(Transcript());
        foreach (RunningProcess process in Enumerable.Reverse(_processes))
        {
            await process.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }
}
