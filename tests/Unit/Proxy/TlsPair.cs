using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>A client (SslStream) and the proxy's side of a TLS connection, joined by two pipes in memory, after the handshake.</summary>
internal sealed class TlsPair : IAsyncDisposable
{
    private static readonly Lazy<(X509Certificate2 Certificate, TlsServerCertificate Tls)> Shared = new(CreateCertificate);

    private readonly TlsServerContext _context = CreateContext();
    private readonly Pipe _toServer = new(new PipeOptions(useSynchronizationContext: false));
    private readonly Pipe _toClient;

    private TlsPair(long pauseBytes)
    {
        _toClient = new Pipe(new PipeOptions(pauseWriterThreshold: pauseBytes, resumeWriterThreshold: pauseBytes / 2, useSynchronizationContext: false));
        Client = new SslStream(new PipesStream(_toClient.Reader.AsStream(), _toServer.Writer.AsStream()));
    }

    public static TimeSpan Patience => TimeSpan.FromSeconds(120);

    public static SslProtocols[] Versions => [SslProtocols.Tls12, SslProtocols.Tls13];

    public SslStream Client { get; }

    public TlsTransport Server { get; private set; } = null!;

    /// <summary>What the server's side has in use of its memory.</summary>
    public CountingPool Pool { get; } = new();

    /// <summary>The server's clock, for how long it waits to close.</summary>
    public ManualTime Time { get; } = new();

    /// <summary>The client's end without TLS: what is written here, the server takes for records.</summary>
    public PipeWriter RawToServer => _toServer.Writer;

    /// <summary>Records as the server sent them.</summary>
    public PipeReader RawToClient => _toClient.Reader;

    /// <summary>What the server's side of each pair is made from; the caller disposes it.</summary>
    public static TlsServerContext CreateContext() => new(new TlsServerOptions { Certificates = [Shared.Value.Tls] });

    public static async Task<TlsPair> ConnectAsync(SslProtocols version, long pauseBytes = 1024 * 1024)
    {
        var pair = new TlsPair(pauseBytes);
        Task client = pair.Client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = version,
            RemoteCertificateValidationCallback = static (_, certificate, _, _) =>
                certificate!.GetRawCertData().AsSpan().SequenceEqual(Shared.Value.Certificate.RawData),
        });
        Task server = pair.HandshakeAsync();
        await Task.WhenAll(client, server).WaitAsync(Patience);
        return pair;
    }

    /// <summary>Reads until <paramref name="length"/> bytes have come, and consumes them.</summary>
    public async Task<byte[]> ReceiveAsync(int length)
    {
        while (true)
        {
            ReadResult result = await Server.Input.ReadAsync().AsTask().WaitAsync(Patience);
            if (result.Buffer.Length >= length || result.IsCompleted)
            {
                byte[] bytes = result.Buffer.ToArray();
                Server.Input.AdvanceTo(result.Buffer.End);
                return bytes;
            }

            Server.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Server.Dispose();
        await _toServer.Writer.CompleteAsync();
        await _toClient.Writer.CompleteAsync();
        await Client.DisposeAsync();
        _context.Dispose();
    }

    private async Task HandshakeAsync()
    {
        TlsServerConnection tls = _context.Accept();
        TlsStatus status;
        do
        {
            ReadResult result = await _toServer.Reader.ReadAsync();
            ReadOnlySequence<byte> left = result.Buffer;
            status = tls.Handshake(ref left, _toClient.Writer);
            _toServer.Reader.AdvanceTo(left.Start);
            await _toClient.Writer.FlushAsync();
        }
        while (status == TlsStatus.WantRead);
        Assert.Equal(TlsStatus.Done, status);
        Server = new TlsTransport(tls, new Transport(_toServer.Reader, _toClient.Writer), Pool, Time);
    }

    private static (X509Certificate2 Certificate, TlsServerCertificate Tls) CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using PrivateKey loaded = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()), []);
        X509Certificate2 certificate = PemFolder.Sign(key);
        return (certificate, new TlsServerCertificate([certificate], loaded));
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>A pool that knows how many blocks are out.</summary>
    internal sealed class CountingPool : MemoryPool<byte>
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public override int MaxBufferSize => 4096;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, MaxBufferSize);
            Interlocked.Increment(ref _count);
            return new Block(this);
        }

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Block(CountingPool pool) : IMemoryOwner<byte>
        {
            private byte[]? _bytes = new byte[4096];

            public Memory<byte> Memory => _bytes;

            public void Dispose()
            {
                Assert.NotNull(_bytes);
                _bytes.AsSpan().Fill(0xEE);     // who reads on sees it
                _bytes = null;
                Interlocked.Decrement(ref pool._count);
            }
        }
    }
}
