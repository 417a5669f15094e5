using System.Buffers;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>What the caller's memory and writer throw reaches the caller as a failure: an exception that crossed libssl would end the process.</summary>
[Collection(ProviderTests.Name)]
public sealed class StepFailureTests
{
    [Fact]
    public void Memory_that_cannot_be_read_fails_the_step()
    {
        using Attached attached = new(2048);
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        using TlsServerConnection connection = context.Accept();
        var received = new ReadOnlySequence<byte>(new BrokenMemory().Of(100));
        Assert.Equal(TlsStatus.Failed, connection.Handshake(ref received, new ArrayBufferWriter<byte>()));
        Assert.Equal(TlsFailureKind.Protocol, connection.Failure.Kind);
        Assert.Equal(0u, Libcrypto.ERR_peek_error());
    }

    [Fact]
    public void Writer_that_takes_nothing_fails_the_step()
    {
        using Attached attached = new(2048);
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        using TlsServerConnection connection = context.Accept();

        // Not TLS, which is answered with an alert.
        var received = new ReadOnlySequence<byte>("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        Assert.Equal(TlsStatus.Failed, connection.Handshake(ref received, new BrokenWriter()));
        Assert.Equal(0u, Libcrypto.ERR_peek_error());
        Assert.Equal(0, connection.SentBytes);
    }

    [Fact]
    public void Connections_are_counted_until_they_are_freed()
    {
        using Attached attached = new(2048);
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        TlsServerConnection[] connections = [.. Enumerable.Range(0, 10).Select(_ => context.Accept())];
        Assert.True(TlsServerConnection.LiveCount >= 10);
        Array.ForEach(connections, static connection => connection.Dispose());
        Array.ForEach(connections, static connection => connection.Dispose());
        Assert.True(TlsServerConnection.LiveCount >= 0);
    }

    private sealed class BrokenMemory : MemoryManager<byte>
    {
        public ReadOnlyMemory<byte> Of(int length) => CreateMemory(length);

        public override Span<byte> GetSpan() => throw new NotSupportedException("This memory is gone.");

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException("This memory is gone.");

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    private sealed class BrokenWriter : IBufferWriter<byte>
    {
        public void Advance(int count) => throw new NotSupportedException("This writer is gone.");

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException("This writer is gone.");

        public Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException("This writer is gone.");
    }
}
