using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.LoadTest.Http;

/// <summary>The bytes of a connection, with TLS or without; a connecting socket is written to when it is connected. One thread.</summary>
internal interface IHttpTransport : IDisposable
{
    /// <summary>Why the last step failed.</summary>
    TlsFailure Failure { get; }

    /// <summary>Begins over the socket, which has begun to connect.</summary>
    void Begin();

    /// <summary>What is to be done before HTTP; repeated until it is done.</summary>
    TlsStatus Handshake();

    TlsStatus Read(Span<byte> buffer, out int count);

    TlsStatus Write(ReadOnlySpan<byte> data, out int count);

    /// <summary>Tells the server that nothing more will come, where that is a message of its own.</summary>
    void Shutdown();

    /// <summary>Frees what belongs to the connection. The socket stays the caller's.</summary>
    void End();
}
