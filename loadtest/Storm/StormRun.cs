using System.Net;
using System.Runtime.ExceptionServices;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Storm;

/// <summary>Measures established connections before and during a storm of new ones.</summary>
internal static class StormRun
{
    /// <exception cref="LoadFailure">The server does not answer.</exception>
    public static StormResult Execute(StormOptions options, LiveLine live, Interruption interruption)
    {
        SocketAddress address = HandshakesRun.Resolve(options.Target)[0].Serialize();
        var name = new TlsServerName(options.Target.Host);
        using TlsClientContext http2 = HandshakesRun.CreateContext(
            new TlsClientOptions { LowestVersion = TlsVersion.Tls12, HighestVersion = TlsVersion.Any, ApplicationProtocols = ["h2"] });
        using TlsClientContext http1 = HandshakesRun.CreateContext(new TlsClientOptions
        {
            LowestVersion = options.Version == TlsVersion.Any ? TlsVersion.Tls12 : options.Version,
            HighestVersion = options.Version,
            ApplicationProtocols = ["http/1.1"],
        });
        using var probes = new ProbeLoop(options, address, http2, name);
        using var storm = new StormLoop(options);
        byte[] request = HandshakeLoad.RequestOf(new HandshakesOptions { Target = options.Target, Names = [name], Tls = new TlsClientOptions() });

        // Nothing of the first collection, or of the jitter, is the server's latency.
        var probing = new StormThread("established", probes.Run);
        probing.Start();
        live.Show("before the storm");
        interruption.Wait(options.Before);
        var storming = new StormThread("storm", () => storm.Run(address, http1, name, request));
        live.Show("storm");
        if (!interruption.IsRaised)
        {
            probes.BeginStorm();
            storming.Start();
            storming.Join();
        }

        probes.End();
        probing.Join();
        return Result(options, probes, storm);
    }

    private static StormResult Result(StormOptions options, ProbeLoop probes, StormLoop storm) => new(
        options.Target.Url.ToString(),
        options.Connections,
        options.Established,
        options.Rate,
        LatencySummary.Of(probes.Before),
        LatencySummary.Of(probes.During),
        (double)probes.During.ValueAt(99) / Math.Max(1, probes.Before.ValueAt(99)),
        storm.Opening / (double)LoadClock.Second,
        storm.Duration / (double)LoadClock.Second,
        LatencySummary.Of(storm.Served),
        LatencySummary.Of(storm.Refused),
        storm.LateCount,
        storm.Errors.ByKind(),
        probes.Failures);

    private sealed class StormThread(string name, Action body)
    {
        private ExceptionDispatchInfo? _failure;
        private Thread? _thread;

        public void Start()
        {
            _thread = new Thread(Run) { Name = name, IsBackground = true };
            _thread.Start();
        }

        public void Join()
        {
            _thread!.Join();
            _failure?.Throw();
        }

        private void Run()
        {
            try
            {
                body();
            }
#pragma warning disable CA1031 // Thrown again by Join, on the thread that waits for the run.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                _failure = ExceptionDispatchInfo.Capture(failure);
            }
        }
    }
}
