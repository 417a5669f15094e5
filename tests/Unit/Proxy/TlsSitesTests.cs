using System.Collections.Concurrent;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Listeners;
using WarpProxy.Offload;
using WarpProxy.Protocol;
using WarpProxy.Tickets;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>Which certificates a handshake meets, while certificates come and go.</summary>
public sealed class TlsSitesTests : IDisposable
{
    private readonly PemFolder _folder = new();
    private readonly LogLines _log = new();
    private readonly Accelerator _accelerator;
    private readonly FileWatch _files;

    public TlsSitesTests()
    {
        _accelerator = new Accelerator(new OffloadOptions { Devices = ["none"] }, TimeProvider.System, _log);
        _files = new FileWatch(TimeSpan.FromHours(1), new ManualTime(), _log.Of<FileWatch>());
    }

    public void Dispose()
    {
        _files.Dispose();
        _accelerator.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Name_finds_its_certificate_the_wildcards_or_the_default_one()
    {
        _folder.WritePair("a", ["a.example", "*.b.example"]);
        _folder.WritePair("c", ["c.example"]);
        using CertificateStore store = OpenStore();
        using TlsSites sites = Open(store);
        Assert.Same(sites.Find("a.example"), sites.Find("x.b.example"));
        Assert.Same(sites.Find(null), sites.Find("other.example"));
        Assert.NotSame(sites.Find("a.example"), sites.Find("c.example"));
        Assert.Equal(2, sites.ContextCount);
        using TlsSites strict = Open(store, UnknownNames.Refuse);
        Assert.NotNull(strict.Find("c.example"));
        Assert.Null(strict.Find("other.example"));
        Assert.Null(strict.Find(null));
    }

    [Fact]
    public void Sites_whose_certificates_stay_keep_their_contexts_when_others_are_replaced()
    {
        _folder.WritePair("a", ["a.example"]);
        _folder.WritePair("b", ["b.example"]);
        using CertificateStore store = OpenStore();
        using TlsSites sites = Open(store);
        TlsSite a = sites.Find("a.example")!;
        TlsSite b = sites.Find("b.example")!;
        _folder.WritePair("b", ["b.example"]);
        _files.LookNow();
        Assert.Same(a, sites.Find("a.example"));
        Assert.NotSame(b, sites.Find("b.example"));
        Assert.Null(b.Context.TryAccept());
        using TlsServerConnection? accepted = sites.Find("b.example")!.Context.TryAccept();
        Assert.NotNull(accepted);
    }

    [Fact]
    public void Of_many_sites_those_are_kept_that_clients_ask_for()
    {
        const int Count = TlsSites.MaxContexts + 200;
        for (int i = 0; i < Count; i++)
        {
            (string certificate, string key, _) = PemFolder.Make([$"n{i}.example"]);
            _folder.Write($"n{i}.pem", certificate, key);
        }

        using CertificateStore store = OpenStore();
        using TlsSites sites = Open(store);
        TlsSite first = sites.Find("n0.example")!;
        for (int i = 0; i < Count; i++)
        {
            Assert.NotNull(sites.Find($"n{i}.example"));
            Assert.Same(first, sites.Find("n0.example"));
            Assert.InRange(sites.ContextCount, 1, TlsSites.MaxContexts);
        }

        foreach (int i in new[] { 1, Count / 2, Count - 1 })
        {
            using TlsServerConnection? accepted = sites.Find($"n{i}.example")!.Context.TryAccept();
            Assert.NotNull(accepted);
        }
    }

    [Fact]
    public async Task Handshakes_on_several_threads_always_find_certificates_that_serve()
    {
        const int Reloads = 60;
        _folder.WritePair("a", ["localhost"]);
        using CertificateStore store = OpenStore();
        using TlsSites sites = Open(store);
        var failures = new ConcurrentQueue<string>();
        long accepted = 0;
        bool isDone = false;
        Task[] clients = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (!Volatile.Read(ref isDone))
            {
                TlsServerConnection? connection = null;
                for (int attempt = 0; connection is null; attempt++)
                {
                    // As the handshaker does: one that was replaced meanwhile accepts no more.
                    connection = sites.Find("localhost")!.Context.TryAccept();
                    if (attempt > Reloads)
                    {
                        failures.Enqueue("The same context was found again and again, and never accepted.");
                        return;
                    }
                }

                connection.Dispose();
                Interlocked.Increment(ref accepted);
            }
        }))];
        for (int i = 0; i < Reloads; i++)
        {
            long goal = Interlocked.Read(ref accepted) + 20;
            SpinWait.SpinUntil(() => Interlocked.Read(ref accepted) >= goal || !failures.IsEmpty, TlsPair.Patience);
            _folder.WritePair("a", ["localhost"]);
            _files.LookNow();
        }

        Volatile.Write(ref isDone, true);
        await Task.WhenAll(clients);
        Assert.Empty(failures);
        Assert.InRange(accepted, Reloads * 20, long.MaxValue);
        Assert.InRange(sites.ContextCount, 0, 1);
        Assert.Null(store.Entries.Single().Refusal);
    }

    private CertificateStore OpenStore() => new(
        [new("many", new CertificateOptions { Directory = _folder.Root })], _accelerator, _files, TimeProvider.System, _log);

    private static TlsSites Open(CertificateStore store, UnknownNames unknownNames = UnknownNames.Default)
    {
        Assert.True(ListenAddress.TryParse("https://127.0.0.1:0", "Url", out ListenAddress? address, out _));
        var listener = new Listener("test", address, new ListenerOptions { UnknownNames = unknownNames, Tickets = new TicketOptions() });
        var sites = new TlsSites(listener, store.Index([])!, null, null, new ProtocolPolicy(new ProtocolOptions()));
        store.Changed += () => sites.Replace(store.Index([])!);
        return sites;
    }
}
