using System.Diagnostics;
using System.Text;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A running <c>openssl s_client</c> that is spoken to: lines of one letter are its commands (K and k: KeyUpdate, R: renegotiate).</summary>
internal sealed class SClient : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly Task _readers;

    private SClient(Process process)
    {
        _process = process;
        _readers = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>All that it said so far, on both streams.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    public static SClient Start(ProxyProcess proxy, params string[] arguments) => new(Process.Start(
        new ProcessStartInfo(Tool.OpenSsl, ["s_client", "-connect", proxy.HostAndPort, "-servername", "localhost", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);

    /// <summary>Types it; what is typed at once is read at once.</summary>
    public async Task TypeAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until it has said a text so many times.</summary>
    public Task SaysAsync(string text, int times = 1) =>
        Eventually.TrueAsync($"s_client says '{text}' {times} times in:\n{Said}", () => Said.Split(text).Length > times);

    /// <summary>Waits until it has ended.</summary>
    public Task EndsAsync() => Eventually.TrueAsync("s_client ends", () => _process.HasExited && _readers.IsCompleted);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signals.Send(_process.Id, Signal.Kill);
        }

        await _readers;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = await reader.ReadAsync(buffer)) > 0)
        {
            lock (_said)
            {
                _said.Append(buffer, 0, count);
            }
        }
    }
}
