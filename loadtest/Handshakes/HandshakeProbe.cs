using System.Net;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>The first connection, before any load: finds the address that answers, and what is agreed on there.</summary>
internal static class HandshakeProbe
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Tries the addresses in turn.</summary>
    /// <param name="options">Of the run.</param>
    /// <param name="addresses">Of the server; at least one.</param>
    /// <param name="context">Of the TLS client.</param>
    /// <param name="error">Why the last address failed.</param>
    /// <returns>What answered, or null.</returns>
    public static ProbedServer? Find(HandshakesOptions options, IReadOnlyList<IPEndPoint> addresses, TlsClientContext context, out LoadError error)
    {
        error = default;
        foreach (IPEndPoint address in addresses)
        {
            if (Try(options, address, context, out error) is ProbedServer found)
            {
                return found;
            }
        }

        return null;
    }

    private static ProbedServer? Try(HandshakesOptions options, IPEndPoint address, TlsClientContext context, out LoadError error)
    {
        using var poller = new SocketPoller();
        using var connection = new HandshakeConnection();
        byte[] buffer = new byte[4096];
        byte[] request = options.IsRequesting ? HandshakeLoad.RequestOf(options) : [];
        long until = LoadClock.Now + LoadClock.From(options.Timeout < Limit ? options.Timeout : Limit);
        var events = new SocketEvent[1];
        LoadProgress progress = connection.Begin(address.Serialize(), context, (options.Names[0], 0), null, request, LoadClock.Now);
        if (progress == LoadProgress.Waiting)
        {
            poller.Add(connection.Socket, 0);
        }

        ProbedServer? found = null;
        while (progress == LoadProgress.Waiting && LoadClock.Now < until)
        {
            progress = connection.Advance(buffer);
            if (progress != LoadProgress.Failed && found is null && connection.HandshakeDone != 0)
            {
                found = ProbedServer.Of(address, connection.Tls);
            }

            if (connection.IsEnding)
            {
                // A server that takes its time to end the connection is no failure; but it may still refuse.
                until = Math.Min(until, connection.Done + HandshakeLoad.EndLimit);
            }

            if (progress == LoadProgress.Waiting)
            {
                poller.Wait(events, LoadClock.ToTimeSpan(until - LoadClock.Now));
            }
        }

        bool isDone = progress == LoadProgress.Ended || (progress == LoadProgress.Waiting && connection.IsEnding);
        error = progress == LoadProgress.Failed ? connection.Error : LoadError.Timeout;
        connection.Cut();
        return isDone ? found : null;
    }
}

/// <summary>A server that has answered.</summary>
/// <param name="Address">Where.</param>
/// <param name="Tls">The version agreed on: <c>1.3</c>.</param>
/// <param name="Cipher">The cipher suite agreed on.</param>
/// <param name="Group">The group of the key exchange; null for none.</param>
/// <param name="KeyType">Of its certificate: <c>RSA</c>.</param>
/// <param name="KeyBits">Of its certificate.</param>
/// <param name="ApplicationProtocol">The protocol agreed on (ALPN); null for none.</param>
internal sealed record ProbedServer(
    IPEndPoint Address, string Tls, string Cipher, string? Group, string KeyType, int KeyBits, string? ApplicationProtocol)
{
    public static ProbedServer Of(IPEndPoint address, TlsClientConnection connection)
    {
        string version = connection.Version == TlsVersion.Tls13 ? "1.3" : "1.2";
        (string type, int bits) = connection.PeerKey ?? ("none", 0);
        return new(address, version, connection.Cipher, connection.Group, type, bits, connection.ApplicationProtocol);
    }
}
