using System.Net.Sockets;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Servers;

/// <summary>Waits until a server that was started answers, by asking it.</summary>
internal static class Readiness
{
    // A proxy may calibrate its engines first.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Until a handshake, and a request where the load has one, succeed.</summary>
    /// <param name="options">Of the load to come, for the server's address.</param>
    /// <param name="processes">Of the server; when one ends, so does the wait.</param>
    /// <param name="interruption">Ends the wait early.</param>
    /// <exception cref="LoadFailure">It did not answer, or a process of it ended; the message has what it said.</exception>
    public static void WaitForHandshake(
        HandshakesOptions options, IReadOnlyList<ServerProcess> processes, Interruption interruption)
    {
        using TlsClientContext context = HandshakesRun.CreateContext(options.Tls);
        long until = LoadClock.Now + LoadClock.From(Limit);
        LoadError error = default;
        while (!interruption.IsRaised && HandshakeProbe.Find(options, options.Target.Resolve(), context, out error) is null)
        {
            Check(processes, until, $"its first connection failed: {error}");
            interruption.Wait(Interval);
        }
    }

    /// <summary>Until a Unix socket takes connections.</summary>
    /// <exception cref="LoadFailure">It did not, or the process ended.</exception>
    public static void WaitForSocket(string path, ServerProcess process)
    {
        long until = LoadClock.Now + LoadClock.From(Limit);
        while (!Answers(path))
        {
            Check([process], until, $"it does not serve {path}");
            Thread.Sleep(Interval);
        }
    }

    private static bool Answers(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void Check(IReadOnlyList<ServerProcess> processes, long until, string state)
    {
        foreach (ServerProcess process in processes)
        {
            if (process.FindExitCode() is int code)
            {
                throw new LoadFailure($"{process.Name} ended with exit code {code}: {process.LastWords}", LoadFailure.NothingMeasured);
            }

            if (LoadClock.Now >= until)
            {
                throw new LoadFailure($"{process.Name} did not answer: {state}. {process.LastWords}".TrimEnd(), LoadFailure.NothingMeasured);
            }
        }
    }
}
