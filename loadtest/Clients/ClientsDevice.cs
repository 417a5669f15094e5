using System.Diagnostics;
using System.Globalization;

namespace WarpProxy.LoadTest.Clients;

/// <summary>The device's process, and what it uses.</summary>
internal sealed class ClientsDevice : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("warp-clients-").FullName;
    private readonly Process _process;

    public ClientsDevice(int queues)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "warp-loadtest.dll"));
        }

        foreach (string argument in (string[])[ClientsDeviceCommand.Name, "--socket", Socket, "--queues", queues.ToString(CultureInfo.InvariantCulture)])
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        if (_process.StandardOutput.ReadLine() != "ready")
        {
            throw new InvalidOperationException($"The device process ended with exit code {(_process.WaitForExit(1000) ? _process.ExitCode : -1)}.");
        }
    }

    public string Socket => Path.Combine(_directory, "device.sock");

    public int ThreadCount => Directory.GetDirectories($"/proc/{_process.Id}/task").Length;

    public int DescriptorCount => Directory.GetFiles($"/proc/{_process.Id}/fd").Length;

    /// <summary>Memory that is its own alone; what clients share with it counts as theirs.</summary>
    public long OwnBytes()
    {
        const string Field = "RssAnon:";
        string line = File.ReadLines($"/proc/{_process.Id}/status").First(static line => line.StartsWith(Field, StringComparison.Ordinal));
        return long.Parse(line[Field.Length..^2].Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    public TimeSpan ProcessorTime()
    {
        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    /// <summary>Ends it; returns how many lines its log would have had.</summary>
    public long Stop()
    {
        _process.StandardInput.Close();
        string? lines = _process.StandardOutput.ReadLine();
        return long.TryParse(lines, NumberStyles.None, CultureInfo.InvariantCulture, out long count) ? count : -1;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            _process.Kill();
        }

        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
