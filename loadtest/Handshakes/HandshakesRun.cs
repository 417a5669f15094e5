using System.Net;
using System.Net.Sockets;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>Measures handshakes with one server once.</summary>
internal static class HandshakesRun
{
    /// <summary>Finds the server, loads it, and returns what was measured.</summary>
    /// <exception cref="LoadFailure">The options are wrong, or the first connection failed.</exception>
    public static HandshakesResult Execute(HandshakesOptions options, LiveLine live, Interruption interruption)
    {
        HandshakesMeasurement measured = Measure(options, live, interruption);
        return HandshakesResult.Of(options, measured.Server, measured.Load, measured.Counters, interruption.IsRaised);
    }

    /// <summary>As <see cref="Execute"/>, with all that was measured.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="live">Shows it.</param>
    /// <param name="interruption">Ends it early.</param>
    /// <param name="readServerCpu">Reads the processor time of the server, when it is known.</param>
    /// <exception cref="LoadFailure">The options are wrong, or the first connection failed.</exception>
    public static HandshakesMeasurement Measure(
        HandshakesOptions options, LiveLine live, Interruption interruption, Func<TimeSpan>? readServerCpu = null)
    {
        using TlsClientContext context = CreateContext(options.Tls);
        ProbedServer server = HandshakeProbe.Find(options, Resolve(options.Target), context, out LoadError error)
            ?? throw new LoadFailure($"The first connection to {options.Target.Url} failed: {error}.", LoadFailure.NothingMeasured);
        List<HandshakeLoad> loads = [];
        try
        {
            LoadMeasurement measured = new LoadRun("handshakes", live, interruption, readServerCpu).Execute(options.Warmup, options.Measured, window =>
            {
                loads.AddRange(Enumerable.Range(0, options.Threads).Select(index => CreateLoad(options, server.Address, context, window, index)));
                return [.. loads.Select((load, index) => new LoadThread($"load {index}", load.Counters.Load, window, load.Run))];
            });
            return new HandshakesMeasurement(server, measured, HandshakeCounters.Sum([.. loads.Select(static load => load.Counters)]));
        }
        finally
        {
            loads.ForEach(static load => load.Dispose());
        }
    }

    /// <summary>The TLS client for these options.</summary>
    /// <exception cref="LoadFailure">OpenSSL refuses them.</exception>
    public static TlsClientContext CreateContext(TlsClientOptions options)
    {
        try
        {
            return new TlsClientContext(options);
        }
        catch (OpenSslException refusal)
        {
            throw new LoadFailure(refusal.Message, LoadFailure.BadInput);
        }
    }

    /// <exception cref="LoadFailure">The name has no address.</exception>
    public static IPEndPoint[] Resolve(LoadTarget target)
    {
        try
        {
            return target.Resolve();
        }
        catch (SocketException failure)
        {
            throw new LoadFailure($"The name {target.Host} has no address: {failure.Message}.", LoadFailure.NothingMeasured);
        }
    }

    /// <summary>How many of the connections one of the threads has; what does not divide goes to the first ones.</summary>
    public static int Share(int connections, int threads, int index) => (connections / threads) + (index < connections % threads ? 1 : 0);

    private static HandshakeLoad CreateLoad(HandshakesOptions options, IPEndPoint address, TlsClientContext context, RunWindow window, int index)
    {
        IPacing pacing = options.Rate is not double rate ? new ClosedLoop()
            : options.IsRandom ? new PoissonLoop(window.Start, rate, index, options.Threads)
            : new OpenLoop(window.Start, rate, index, options.Threads);
        return new HandshakeLoad(options, address, context, pacing, window, Share(options.Connections, options.Threads, index));
    }
}

/// <summary>All that one run has measured.</summary>
/// <param name="Server">Which answered.</param>
/// <param name="Load">Handshakes and their latency.</param>
/// <param name="Counters">What else there is of handshakes.</param>
internal sealed record HandshakesMeasurement(ProbedServer Server, LoadMeasurement Load, HandshakeCounters Counters);
