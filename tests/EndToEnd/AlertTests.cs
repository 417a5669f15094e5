using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Clients that break the protocol read the alert that RFC 8446 or RFC 5246 has for it, the same on every path of private-key operations.</summary>
public sealed class AlertTests(EveryProfile profiles, ITestOutputHelper output) : IClassFixture<EveryProfile>, IDisposable
{
    private const int UnexpectedMessage = 10;
    private const int BadRecordMac = 20;
    private const int RecordOverflow = 22;
    private const int HandshakeFailure = 40;
    private const int IllegalParameter = 47;
    private const int DecodeError = 50;
    private const int ProtocolVersion = 70;
    private const int InappropriateFallback = 86;
    private const int MissingExtension = 109;
    private const int NoApplicationProtocol = 120;

    private static readonly RawHello Tls12 = new();
    private static readonly RawHello Tls13 = new()
    {
        Suites = [0x1301], Extensions = [RawHello.Groups, RawHello.Algorithms, RawHello.Tls13, RawHello.KeyShare],
    };

    /// <summary>Hellos with what is wrong with them.</summary>
    public static TheoryData<string, string, int> Hellos
    {
        get
        {
            TheoryData<string, string, int> data = [];
            foreach ((string name, (string profile, int alert, _)) in BadHellos)
            {
                data.Add(profile, name, alert);
            }

            return data;
        }
    }

    private static Dictionary<string, (string Profile, int Alert, RawHello Hello)> BadHellos { get; } = new()
    {
        ["SSL 3.0, which has no alert for it"] = (EveryProfile.Old, HandshakeFailure, Tls12 with { Version = 0x0300, Suites = [0x002F], Extensions = [] }),
        ["TLS 1.1 where 1.2 is the lowest"] = (EveryProfile.Intermediate, ProtocolVersion, Tls12 with { Version = 0x0302 }),
        ["TLS 1.2 where 1.3 is the lowest"] = (EveryProfile.Modern, ProtocolVersion, Tls12),
        ["no version in common"] = (EveryProfile.Old, ProtocolVersion, Tls13 with { Extensions = [RawHello.Groups, RawHello.Algorithms, RawHello.Extension(43, 2, 3, 5)] }),
        ["no suite in common"] = (EveryProfile.Intermediate, HandshakeFailure, Tls12 with { Suites = [0x002F, 0x009C] }),
        ["no suite of TLS 1.3 in common"] = (EveryProfile.Modern, HandshakeFailure, Tls13 with { Suites = [0x1304] }),
        ["no group in common"] = (EveryProfile.Modern, HandshakeFailure, Tls13 with
        {
            Extensions = [RawHello.Extension(10, 0, 2, 0, 30), RawHello.Algorithms, RawHello.Tls13, RawHello.Extension(51, 0, 0)],
        }),
        ["SHA-1 signatures alone"] = (EveryProfile.Intermediate, HandshakeFailure, Tls12 with { Extensions = [RawHello.Groups, RawHello.PointFormats, RawHello.Extension(13, 0, 2, 2, 1)] }),
        ["no application protocol in common"] = (EveryProfile.Modern, NoApplicationProtocol, Tls13 with { Extensions = [.. Tls13.Extensions, RawHello.Alpn("spdy/3")] }),
        ["fallback to TLS 1.1"] = (EveryProfile.Old, InappropriateFallback, Tls12 with { Version = 0x0302, Suites = [0xC013, 0x5600] }),
        ["TLS 1.3 without groups"] = (EveryProfile.Modern, MissingExtension, Tls13 with { Extensions = [RawHello.Algorithms, RawHello.Tls13, RawHello.KeyShare] }),
        ["TLS 1.3 without a key share"] = (EveryProfile.Modern, MissingExtension, Tls13 with { Extensions = [RawHello.Groups, RawHello.Algorithms, RawHello.Tls13] }),
        ["TLS 1.3 without signature algorithms"] = (EveryProfile.Modern, MissingExtension, Tls13 with { Extensions = [RawHello.Groups, RawHello.Tls13, RawHello.KeyShare] }),
        ["key share of a group that is not offered"] = (EveryProfile.Modern, IllegalParameter, Tls13 with
        {
            Extensions = [RawHello.Extension(10, 0, 2, 0, 23), RawHello.Algorithms, RawHello.Tls13, RawHello.KeyShare],
        }),
        ["compression in TLS 1.3"] = (EveryProfile.Modern, IllegalParameter, Tls13 with { Compression = [2, 1, 0] }),
        ["the same extension twice"] = (EveryProfile.Intermediate, IllegalParameter, Tls12 with { Extensions = [.. Tls12.Extensions, RawHello.Groups] }),
        ["bytes after the extensions"] = (EveryProfile.Intermediate, DecodeError, Tls12 with { Rest = [0] }),
        ["a session ID of 33 bytes"] = (EveryProfile.Intermediate, DecodeError, Tls12 with { Session = [33, .. new byte[33]] }),
        ["an odd number of bytes of groups"] = (EveryProfile.Intermediate, DecodeError, Tls12 with { Extensions = [RawHello.Extension(10, 0, 3, 0, 29, 0)] }),
        ["an empty list of application protocols"] = (EveryProfile.Intermediate, DecodeError, Tls12 with { Extensions = [.. Tls12.Extensions, RawHello.Extension(16, 0, 0)] }),
        ["an empty application protocol"] = (EveryProfile.Intermediate, DecodeError, Tls12 with { Extensions = [.. Tls12.Extensions, RawHello.Alpn("")] }),
    };

    // What a client sends in the place of its second flight in TLS 1.2; the first answer to it is plain, since the server has not changed its keys.
    private static Dictionary<string, byte[][]> BadSecondFlights { get; } = new()
    {
        ["application data"] = [RawHello.Record(23, 1, 2, 3)],
        ["a heartbeat (Heartbleed)"] = [RawHello.Record(24, 1, 0x40, 0)],
        ["a record of an unknown type"] = [RawHello.Record(99, 1, 2, 3)],
        ["a second ClientHello"] = [new RawHello().ToRecord()],
        ["ChangeCipherSpec before the key exchange (CCS injection)"] = [RawHello.Record(20, 1)],
        ["a Finished before ChangeCipherSpec"] = [KeyExchange(32), RawHello.Message(20, new byte[12])],
        ["a key exchange cut short"] = [RawHello.Message(16, 32, 9)],
        ["a key exchange with a byte too many"] = [RawHello.Message(16, [32, 9, .. new byte[32]])],
        ["a ChangeCipherSpec of another value"] = [KeyExchange(32), RawHello.Record(20, 2)],
        ["a Finished that nothing is encrypted with"] = [KeyExchange(32), RawHello.Record(20, 1), RawHello.Record(22, new byte[40])],
        ["a record longer than 16 KiB"] = [[22, 3, 3, 0x48, 0x01]],
    };

    public void Dispose() => output.WriteLine(profiles.Transcript());

    [Theory]
    [MemberData(nameof(Hellos))]
    public async Task Hello_that_is_wrong_is_answered_with_its_alert(string profile, string what, int alert)
    {
        foreach (string path in (string[])[EveryProfile.Device, EveryProfile.Software])
        {
            ProxyProcess proxy = profiles.Proxy(path, profile);
            OperationStatus before = (await proxy.StatusAsync()).Operations;
            using var client = new RawClient(proxy);
            await client.SendAsync(BadHellos[what].Hello.ToRecord());
            Assert.Equal(alert, await client.ReadAlertAsync());
            Assert.Equal("device 0, software 0", (await proxy.StatusAsync()).Operations.Since(before));
        }
    }

    [Theory]
    [InlineData("application data", UnexpectedMessage)]
    [InlineData("a heartbeat (Heartbleed)", UnexpectedMessage)]
    [InlineData("a record of an unknown type", UnexpectedMessage)]
    [InlineData("a second ClientHello", UnexpectedMessage)]
    [InlineData("ChangeCipherSpec before the key exchange (CCS injection)", UnexpectedMessage)]
    [InlineData("a Finished before ChangeCipherSpec", UnexpectedMessage)]
    [InlineData("a key exchange cut short", DecodeError)]
    [InlineData("a key exchange with a byte too many", DecodeError)]
    [InlineData("a ChangeCipherSpec of another value", UnexpectedMessage)]
    [InlineData("a Finished that nothing is encrypted with", BadRecordMac)]
    [InlineData("a record longer than 16 KiB", RecordOverflow)]
    public async Task Second_flight_that_is_wrong_is_answered_with_its_alert(string what, int alert)
    {
        foreach (string path in (string[])[EveryProfile.Device, EveryProfile.Software])
        {
            using var client = new RawClient(profiles.Proxy(path, EveryProfile.Intermediate));
            await client.SendAsync(Tls12.ToRecord());
            await client.ReadServerHelloDoneAsync();
            foreach (byte[] record in BadSecondFlights[what])
            {
                await client.SendAsync(record);
            }

            Assert.Equal(alert, await client.ReadAlertAsync());
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "bad record mac", 23, 32, 32)]
    [InlineData(SslProtocols.Tls13, "bad record mac", 23, 32, 32)]
    [InlineData(SslProtocols.Tls12, "record overflow", 23, 16384 + 2048 + 1, 0)]
    [InlineData(SslProtocols.Tls13, "record overflow", 23, 16384 + 256 + 1, 0)]
    [InlineData(SslProtocols.Tls13, "unexpected message", 22, 32, 32)]
    [InlineData(SslProtocols.Tls13, "unexpected message", 99, 32, 32)]
    public async Task Record_that_is_wrong_after_the_handshake_is_answered_with_its_alert(SslProtocols version, string alert, byte type, int length, int sent)
    {
        foreach (string path in (string[])[EveryProfile.Device, EveryProfile.Software])
        {
            ProxyProcess proxy = profiles.Proxy(path, EveryProfile.Intermediate);
            using var socket = new TcpClient(proxy.Url.Host, proxy.Url.Port);
            await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: true);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = version,
                RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost",
            });
            await socket.GetStream().WriteAsync((byte[])[type, 3, 3, (byte)(length >> 8), (byte)length, .. new byte[sent]]);
            Exception failure = await Assert.ThrowsAnyAsync<Exception>(async () => await tls.ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromMinutes(2)));
            Assert.Contains($"alert {alert}", failure.ToString(), StringComparison.Ordinal);
        }
    }

    private static byte[] KeyExchange(byte length) => RawHello.Message(16, [length, 9, .. new byte[31]]);
}
