using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tickets;

namespace WarpProxy.Tests.Unit.Tickets;

public sealed class TicketKeyStoreTests : IDisposable
{
    private readonly KeyFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly TicketKeyStore _store;

    public TicketKeyStoreTests() => _store = new TicketKeyStore(_folder.Watch, _time, NullLogger<TicketKeyStore>.Instance);

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Listeners_without_files_share_the_keys_of_the_process()
    {
        TlsTicketKeyRing? keys = _store.Find(new TicketOptions());
        Assert.NotNull(keys);
        Assert.Same(keys, _store.Find(new TicketOptions { Lifetime = TimeSpan.FromHours(1) }));
    }

    [Fact]
    public void Listeners_with_the_same_files_share_their_keys()
    {
        string[] files = [_folder.WriteKey("a", 1), _folder.WriteKey("b", 2)];
        TlsTicketKeyRing? keys = _store.Find(new TicketOptions { Keys = files });
        Assert.Same(keys, _store.Find(new TicketOptions { Keys = [.. files] }));
        Assert.NotSame(keys, _store.Find(new TicketOptions { Keys = [files[1], files[0]] }));
        Assert.NotSame(keys, _store.Find(new TicketOptions { Directory = _folder.Root }));
        Assert.NotSame(keys, _store.Find(new TicketOptions()));
    }

    [Fact]
    public void Keys_of_files_go_with_the_last_listener_that_has_them()
    {
        var options = new TicketOptions { Keys = [_folder.WriteKey("a", 1)] };
        TlsTicketKeyRing ring = _store.Find(options)!;
        Assert.Same(ring, _store.Find(options));
        _store.Release(options);
        Assert.Equal((1, 1), (_store.Count, _folder.Watch.Count));
        _store.Release(options);
        Assert.Equal((0, 0), (_store.Count, _folder.Watch.Count));
        Assert.Null(ring.TryHold());
        Assert.NotSame(ring, _store.Find(options));
    }

    [Fact]
    public void Listener_without_tickets_has_no_keys_and_reads_no_files() =>
        Assert.Null(_store.Find(new TicketOptions { Enabled = false, Directory = "/nowhere" }));

    [Fact]
    public void Key_of_the_process_encrypts_for_a_period_and_decrypts_for_another()
    {
        TlsTicketKeyRing ring = _store.Find(new TicketOptions())!;
        string first = ring.Keys.EncryptingName;
        _time.Advance(TicketOptions.OwnKeyPeriod - TimeSpan.FromSeconds(1));
        Assert.Equal((1, first), (ring.Keys.Count, ring.Keys.EncryptingName));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, ring.Keys.Count);
        Assert.Equal(first, Convert.ToHexStringLower(ring.Keys.Memory[..TlsTicketKeys.NameBytes]));
        string second = ring.Keys.EncryptingName;
        _time.Advance(TicketOptions.OwnKeyPeriod);
        Assert.Equal(second, Convert.ToHexStringLower(ring.Keys.Memory[..TlsTicketKeys.NameBytes]));
        Assert.Equal(3, new[] { first, second, ring.Keys.EncryptingName }.Distinct().Count());
    }

    [Fact]
    public void Keys_of_the_process_are_gone_with_the_store()
    {
        TlsTicketKeyRing ring = _store.Find(new TicketOptions())!;
        _store.Dispose();
        _time.Advance(TicketOptions.OwnKeyPeriod);
        Assert.Null(ring.TryHold());
    }
}
