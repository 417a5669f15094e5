using System.Net;
using System.Net.Sockets;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Http;

/// <summary>Measures requests to one server once.</summary>
internal static class HttpRun
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);

    /// <summary>Finds the server, loads it, and returns what was measured.</summary>
    /// <exception cref="LoadFailure">The options are wrong, or the first connection failed.</exception>
    public static HttpResult Execute(HttpOptions options, LiveLine live, Interruption interruption)
    {
        IPEndPoint[] addresses = HandshakesRun.Resolve(options.Target);
        if (!options.Target.IsHttps)
        {
            return Execute(options, Connect(options, addresses), null, null, live, interruption);
        }

        using TlsClientContext context = HandshakesRun.CreateContext(options.Tls);
        ProbedServer server = Probe(options, addresses, context);
        return Execute(options, server.Address, context, server, live, interruption);
    }

    private static HttpResult Execute(
        HttpOptions options, IPEndPoint address, TlsClientContext? context, ProbedServer? server, LiveLine live, Interruption interruption)
    {
        List<IDisposable> loads = [];
        List<HttpCounters> counters = [];
        try
        {
            LoadMeasurement measurement = new LoadRun("requests", live, interruption).Execute(options.Warmup, options.Measured, window =>
            {
                if (options.IsHttp2)
                {
                    var load = new Http2Load(options, address, PacingOf(options, window, 0), window);
                    loads.Add(load);
                    counters.Add(load.Counters);
                    return [new LoadThread("load", load.Counters.Load, window, load.Run, ThreadUsage.OfThisProcess)];
                }

                HttpLoad[] all =
                [
                    .. Enumerable.Range(0, options.Threads).Select(index => new HttpLoad(
                        options, address, context, PacingOf(options, window, index), window, HandshakesRun.Share(options.Connections, options.Threads, index))),
                ];
                loads.AddRange(all);
                counters.AddRange(all.Select(static load => load.Counters));
                return [.. all.Select((load, index) => new LoadThread($"load {index}", load.Counters.Load, window, load.Run))];
            });
            return HttpResult.Of(options, (address, server), measurement, HttpCounters.Sum(counters), interruption.IsRaised);
        }
        finally
        {
            loads.ForEach(static load => load.Dispose());
        }
    }

    private static IPacing PacingOf(HttpOptions options, RunWindow window, int index) =>
        options.Rate is double rate ? new OpenLoop(window.Start, rate, index, options.Threads) : new ClosedLoop();

    /// <summary>One handshake, which also tells whether the server takes the version of HTTP.</summary>
    private static ProbedServer Probe(HttpOptions options, IPEndPoint[] addresses, TlsClientContext context)
    {
        var one = new HandshakesOptions
        {
            Target = options.Target,
            Names = [new TlsServerName(options.Target.Host)],
            Timeout = options.Timeout,
        };
        ProbedServer server = HandshakeProbe.Find(one, addresses, context, out LoadError error)
            ?? throw new LoadFailure($"The first connection to {options.Target.Url} failed: {error}.", LoadFailure.NothingMeasured);
        return options.IsHttp2 && server.ApplicationProtocol != "h2"
            ? throw new LoadFailure($"{options.Target.Url} does not offer HTTP/2 (its ALPN answer is {server.ApplicationProtocol ?? "none"}).", LoadFailure.NothingMeasured)
            : server;
    }

    /// <summary>The first address that takes a connection.</summary>
    private static IPEndPoint Connect(HttpOptions options, IPEndPoint[] addresses)
    {
        LoadError error = default;
        foreach (IPEndPoint address in addresses)
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using var limit = new CancellationTokenSource(options.Timeout < ConnectLimit ? options.Timeout : ConnectLimit);
            try
            {
                socket.ConnectAsync(address, limit.Token).AsTask().GetAwaiter().GetResult();
                return address;
            }
            catch (SocketException failure)
            {
                error = LoadError.OfSocket(failure.NativeErrorCode);
            }
            catch (OperationCanceledException)
            {
                error = LoadError.Timeout;
            }
        }

        throw new LoadFailure($"The first connection to {options.Target.Url} failed: {error}.", LoadFailure.NothingMeasured);
    }
}
