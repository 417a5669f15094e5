using System.Text;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Files;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Tickets;

/// <summary>A folder of ticket key files under a watch whose clock stands still, and what was logged. Key n is 80 times the byte n.</summary>
internal sealed class KeyFolder : ILogger, ILogger<FileWatch>, IDisposable
{
    public KeyFolder()
    {
        Watch = new FileWatch(TimeSpan.FromSeconds(2), new ManualTime(), this);
    }

    public string Root { get; } = Directory.CreateTempSubdirectory().FullName;

    public FileWatch Watch { get; }

    /// <summary>Each line that was logged.</summary>
    public List<string> Said { get; } = [];

    public string Write(string name, params byte[] bytes)
    {
        File.WriteAllBytes(Path.Combine(Root, name), bytes);
        return Path.Combine(Root, name);
    }

    public string WriteKey(string name, int number) => Write(name, Key(number));

    public string WriteText(string name, string text) => Write(name, Encoding.ASCII.GetBytes(text));

    public static byte[] Key(int number) => [.. Enumerable.Repeat((byte)number, TlsTicketKeys.KeyBytes)];

    public static string Line(int number) => Convert.ToBase64String(Key(number));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Said.Add($"{logLevel}: {formatter(state, exception)}");

    public void Dispose()
    {
        Watch.Dispose();
        Directory.Delete(Root, recursive: true);
    }
}
