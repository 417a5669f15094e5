using System.Runtime.InteropServices;
using System.Security.Cryptography;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.Engines;
using WarpProxy.Tests.Unit.OpenSsl;

namespace WarpProxy.Tests.Unit.Tickets;

/// <summary>Tickets of server contexts as libssl makes and takes them.</summary>
[Collection(ProviderTests.Name)]
public sealed class TlsTicketKeysTests
{
    private const TlsVersion Tls12 = TlsVersion.Tls12;
    private const TlsVersion Tls13 = TlsVersion.Tls13;

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Ticket_is_resumed_without_the_private_key_by_another_context_with_the_same_keys(TlsVersion version)
    {
        using var site = new TicketSite();
        using var one = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        using var other = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        using var client = new TicketClient(version);
        Assert.Equal(new Visit(false, TlsTicketKeyUse.None, false), client.Visit(site.Context(one)));
        Assert.Equal(1, site.Operations);
        TlsServerContext replica = site.Context(other);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(new Visit(true, TlsTicketKeyUse.Current, true), client.Visit(replica));
        }

        Assert.Equal(1, site.Operations);
        Assert.Equal(TicketSite.Name(1), client.KeyName);
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Ticket_of_an_old_key_is_resumed_and_replaced_by_one_of_the_current_key(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1, 2));
        TlsServerContext context = site.Context(ring);
        using var client = new TicketClient(version);
        client.Visit(context);
        Assert.Equal(TicketSite.Name(1), client.KeyName);
        ring.Replace(TicketSite.Keys(1, 1, 2, 3));
        Assert.Equal(new Visit(true, TlsTicketKeyUse.Old, true), client.Visit(context));
        Assert.Equal(TicketSite.Name(2), client.KeyName);
        ring.Replace(TicketSite.Keys(1, 2, 3, 4));
        Assert.Equal(new Visit(true, TlsTicketKeyUse.Old, true), client.Visit(context));
        Assert.Equal(1, site.Operations);
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Ticket_of_a_key_that_another_server_has_gone_on_to_is_resumed(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ahead = new TlsTicketKeyRing(TicketSite.Keys(1, 1, 2));
        using var behind = new TlsTicketKeyRing(TicketSite.Keys(0, 1, 2));
        using var client = new TicketClient(version);
        client.Visit(site.Context(ahead));
        Assert.Equal(new Visit(true, TlsTicketKeyUse.Next, true), client.Visit(site.Context(behind)));

        // TLS 1.2 goes on with the newer ticket; TLS 1.3 has a new one each time.
        Assert.Equal(TicketSite.Name(version == Tls12 ? 2 : 1), client.KeyName);
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Ticket_of_a_forgotten_key_leads_to_a_full_handshake(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        TlsServerContext context = site.Context(ring);
        using var client = new TicketClient(version);
        client.Visit(context);
        ring.Replace(TicketSite.Keys(0, 2));
        Assert.Equal(new Visit(false, TlsTicketKeyUse.Unknown, false), client.Visit(context));
        Assert.Equal(2, site.Operations);
        Assert.Equal(TicketSite.Name(2), client.KeyName);
    }

    [Theory]
    [InlineData(Tls12, 20)]     // the iv
    [InlineData(Tls12, 40)]     // the encrypted session
    [InlineData(Tls12, -1)]     // the authentication
    [InlineData(Tls13, 20)]
    [InlineData(Tls13, 40)]
    [InlineData(Tls13, -1)]
    public void Ticket_that_was_changed_leads_to_a_full_handshake_and_leaves_the_error_queue_empty(TlsVersion version, int at)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        TlsServerContext context = site.Context(ring);
        using var client = new TicketClient(version);
        client.Visit(context);
        client.Ticket[at < 0 ? ^1 : at] ^= 1;
        Assert.Equal(new Visit(false, TlsTicketKeyUse.Current, false), client.Visit(context));
        Assert.Equal(2, site.Operations);
        Assert.Equal((nuint)0, Libcrypto.ERR_peek_error());
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Ticket_is_of_no_use_in_another_session_context(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        using var client = new TicketClient(version);
        client.Visit(site.Context(ring, "public"));
        Assert.Equal(new Visit(false, TlsTicketKeyUse.Current, false), client.Visit(site.Context(ring, "internal")));
        Assert.True(client.Visit(site.Context(ring, "internal")).IsResumed);
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Nothing_is_resumed_without_keys(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        TlsServerContext off = site.Context(null);
        using var client = new TicketClient(version);
        client.Visit(off);
        Assert.False(client.HasSession);
        client.Visit(site.Context(ring));
        Assert.True(client.HasSession);
        Assert.Equal(new Visit(false, TlsTicketKeyUse.None, false), client.Visit(off));
        Assert.Equal(3, site.Operations);
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Clients_are_told_the_lifetime_and_that_early_data_is_off(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TlsTicketKeys.CreateRandom());
        using var client = new TicketClient(version);
        client.Visit(site.Context(ring, lifetime: TimeSpan.FromMinutes(42)));
        Assert.Equal((TimeSpan.FromMinutes(42), 0U), (client.Lifetime, client.MaxEarlyData));
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public void Nothing_is_allocated_per_ticket(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1, 2));
        TlsServerContext context = site.Context(ring);
        using var client = new TicketClient(version);
        client.Visit(context);
        client.Visit(context);
        ring.Replace(TicketSite.Keys(1, 1, 2));     // so that TLS 1.2 makes a ticket too
        Assert.Equal(new Visit(true, TlsTicketKeyUse.Old, true), client.Visit(context));
        Assert.Equal(0, client.ServerAllocatedBytes);
    }

    [Fact]
    public void Session_that_is_offered_with_the_wrong_group_is_not_resumed_before_it_is_offered_again()
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        using var client = new TicketClient(Tls13, "X25519:P-256");
        client.Visit(site.Context(ring));

        // After the HelloRetryRequest a client could leave the session out: the second flight might need the private key.
        Assert.Equal(new Visit(true, TlsTicketKeyUse.Current, false), client.Visit(site.Context(ring, groups: "P-256")));
    }

    [Theory]
    [InlineData(Tls12)]
    [InlineData(Tls13)]
    public async Task Keys_are_replaced_while_many_threads_resume(TlsVersion version)
    {
        using var site = new TicketSite();
        using var ring = new TlsTicketKeyRing(TlsTicketKeys.CreateRandom());
        TlsServerContext[] contexts = [site.Context(ring), site.Context(ring)];
        int[] visits = new int[4];
        using var isEnough = new CancellationTokenSource();
        Task[] clients =
        [
            .. Enumerable.Range(0, visits.Length).Select(number => Task.Factory.StartNew(
                () =>
                {
                    using var client = new TicketClient(version);
                    while (!isEnough.IsCancellationRequested)
                    {
                        // Resumed or not, as the keys happen to go; a failed handshake fails the test.
                        client.Visit(contexts[Interlocked.Increment(ref visits[number]) % 2]);
                    }
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)),
        ];
        for (int i = 0; (i < 200 || visits.Min() < 30) && !clients.Any(static client => client.IsFaulted); i++)
        {
            ring.Replace(ring.Keys.CreateNext());
            await Task.Yield();
        }

        await isEnough.CancelAsync();
        await Task.WhenAll(clients);
        using var last = new TicketClient(version);
        last.Visit(contexts[0]);
        Assert.Equal(ring.Keys.EncryptingName, last.KeyName);
        Assert.True(last.Visit(contexts[1]).IsResumed);
    }

    [Fact]
    public void Keys_are_zeroed_when_the_last_holder_leaves()
    {
        TlsTicketKeys keys = TicketSite.Keys(0, 0xA7);
        using var ring = new TlsTicketKeyRing(keys);
        Assert.Same(keys, ring.TryHold());
        ring.Replace(TicketSite.Keys(0, 2));
        Assert.Equal(0xA7, keys.Memory[0]);
        Assert.False(keys.Memory.IndexOfAnyExcept((byte)0) < 0);
        keys.Release();
        Assert.False(keys.TryHold());
        Assert.Throws<ObjectDisposedException>(() => keys.Memory[0]);
        Assert.Throws<ObjectDisposedException>(() => keys.EncryptingName);
    }

    [Fact]
    public void No_word_of_the_keys_stays_in_memory_when_they_were_used_and_disposed()
    {
        using var site = new TicketSite();
        var ring = new TlsTicketKeyRing(TlsTicketKeys.CreateRandom());
        ulong[] words = Mask(ring.Keys.Memory);
        TlsServerContext context = site.Context(ring);
        foreach (TlsVersion version in new[] { Tls12, Tls13 })
        {
            using var client = new TicketClient(version);
            client.Visit(context);
            Assert.True(client.Visit(context).IsResumed);
        }

        ring.Dispose();
        ProcessMemory.AssertAbsent(words);
    }

    [Fact]
    public void Keys_lie_in_locked_memory()
    {
        using TlsTicketKeys keys = TlsTicketKeys.CreateRandom();
        Assert.True(keys.IsLocked);
    }

    [Fact]
    public void Disposed_ring_is_told_from_one_that_was_replaced()
    {
        var ring = new TlsTicketKeyRing(TicketSite.Keys(0, 1));
        ring.Replace(TicketSite.Keys(0, 2));
        TlsTicketKeys held = ring.TryHold()!;
        Assert.Equal(TicketSite.Name(2), held.EncryptingName);
        held.Release();
        ring.Dispose();
        Assert.Null(ring.TryHold());
    }

    [Fact]
    public void Next_set_has_a_new_key_that_encrypts_and_the_one_before_it()
    {
        using TlsTicketKeys first = TlsTicketKeys.CreateRandom();
        using TlsTicketKeys second = first.CreateNext();
        using TlsTicketKeys third = second.CreateNext();
        Assert.Equal((1, 2, 2), (first.Count, second.Count, third.Count));
        Assert.Equal(3, new[] { first.EncryptingName, second.EncryptingName, third.EncryptingName }.Distinct().Count());
        Assert.Equal(second.EncryptingName, Convert.ToHexStringLower(third.Memory[..TlsTicketKeys.NameBytes]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(79)]
    [InlineData(81)]
    [InlineData(17 * 80)]
    public void Bytes_that_are_no_1_to_16_keys_are_refused(int length)
    {
        byte[] keys = RandomNumberGenerator.GetBytes(length);
        Assert.Throws<ArgumentOutOfRangeException>(() => new TlsTicketKeys(keys, 0));
    }

    [Fact]
    public void Two_keys_of_one_name_are_refused()
    {
        Assert.Throws<ArgumentException>(() => TicketSite.Keys(0, 1, 2, 1));
    }

    [Fact]
    public void Sets_are_the_same_when_keys_order_and_role_are()
    {
        using TlsTicketKeys keys = TicketSite.Keys(1, 1, 2, 3);
        using TlsTicketKeys same = TicketSite.Keys(1, 1, 2, 3);
        using TlsTicketKeys order = TicketSite.Keys(1, 1, 3, 2);
        using TlsTicketKeys role = TicketSite.Keys(2, 1, 2, 3);
        using TlsTicketKeys fewer = TicketSite.Keys(1, 1, 2);
        Assert.True(keys.IsSameAs(same));
        Assert.All([order, role, fewer], other => Assert.False(keys.IsSameAs(other)));
    }

    /// <summary>The words of both secrets of the first key, as <see cref="ProcessMemory"/> takes them.</summary>
    private static ulong[] Mask(ReadOnlySpan<byte> keys)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(keys[TlsTicketKeys.NameBytes..TlsTicketKeys.KeyBytes]);
        ulong[] masked = new ulong[words.Length];
        for (int i = 0; i < masked.Length; i++)
        {
            masked[i] = words[i] ^ ProcessMemory.Mask;
        }

        return masked;
    }
}
