using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace WarpDrive.Linux;

/// <summary>
/// Tells the service manager that started this process how it is, by the protocol of sd_notify(3): one datagram for each change, to the socket that
/// NOTIFY_SOCKET names. Without that variable nobody is told. What cannot be told is no failure of the process. Any thread.
/// </summary>
public sealed class ServiceManager : IDisposable
{
    /// <summary>The environment variable with the socket's path, or with @ and the name of an abstract one.</summary>
    public const string Variable = "NOTIFY_SOCKET";

    // A manager that does not read, so that its queue is full, must not hold up a start or an end.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _manager;
    private readonly Action<string> _report;

    /// <summary>Opens nothing but its own end.</summary>
    /// <param name="address">The variable's value; null or empty: there is no manager.</param>
    /// <param name="report">Gets a sentence about what could not be told.</param>
    public ServiceManager(string? address, Action<string> report)
    {
        _report = report;
        if (string.IsNullOrEmpty(address))
        {
            return;
        }

        if (address[0] is not ('/' or '@'))
        {
            report($"{Variable} is '{address}'; it must be a path that begins with /, or @ and a name. The service manager is told nothing.");
            return;
        }

        try
        {
            // An abstract socket's name begins with a zero where a path has its first letter (unix(7)).
            _manager = new UnixDomainSocketEndPoint(address[0] == '@' ? '\0' + address[1..] : address);
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = (int)Patience.TotalMilliseconds };
        }
        catch (Exception refusal) when (refusal is ArgumentException or SocketException)
        {
            report($"{Variable} is '{address}', which cannot be used: {refusal.Message}");
        }
    }

    /// <summary>That of this process; what cannot be told is said on standard error.</summary>
    public static ServiceManager FromEnvironment() => new(Environment.GetEnvironmentVariable(Variable), Console.Error.WriteLine);

    /// <summary>The process serves; or serves again, after a reload.</summary>
    /// <param name="status">For people, one line: what <c>systemctl status</c> shows.</param>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>Runs what reads the configuration again, and says when it begins and when it is over, however it ended.</summary>
    /// <param name="reload">What it is.</param>
    /// <param name="status">As of <see cref="Ready"/>, asked for afterwards.</param>
    public void Reload(Action reload, Func<string> status)
    {
        // With the time, which is what tells Type=notify-reload that this answers its signal: Stopwatch is CLOCK_MONOTONIC.
        long microseconds = (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"));
        try
        {
            reload();
        }
        finally
        {
            Ready(status());
        }
    }

    /// <summary>The process ends, and may need so long, whatever the manager's own limit is.</summary>
    public void Stopping(TimeSpan limit) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"STOPPING=1\nEXTEND_TIMEOUT_USEC={(long)limit.TotalMicroseconds}"));

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();

    private void Send(string state)
    {
        if (_socket is null)
        {
            return;
        }

        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(state), _manager!);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            _report($"The service manager could not be told '{state.Split('\n')[0]}': {failure.Message}");
        }
    }
}
