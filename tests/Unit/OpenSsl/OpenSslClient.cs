using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Connections of <c>openssl s_client</c> to a context, over a socket, and a folder for the files that it reads and writes.</summary>
internal sealed class OpenSslClient : IDisposable
{
    public const string Path = "/usr/bin/openssl";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-unit-");

    public string File(string name) => System.IO.Path.Combine(_directory.FullName, name);

    /// <summary>Writes a certificate and its key; returns the arguments that show it, with those that lead on from it.</summary>
    public string[] Show(X509Certificate2 certificate, params X509Certificate2[] intermediates)
    {
        string name = File(certificate.SerialNumber + ".pem");
        using System.Security.Cryptography.AsymmetricAlgorithm key =
            (System.Security.Cryptography.AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        System.IO.File.WriteAllText(name, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        System.IO.File.WriteAllText(name + ".chain", string.Concat(intermediates.Select(static one => one.ExportCertificatePem() + "\n")));
        return intermediates.Length == 0 ? ["-cert", name, "-key", name] : ["-cert", name, "-key", name, "-cert_chain", name + ".chain"];
    }

    /// <summary>One connection: handshake, close_notify, end.</summary>
    public static async Task<Result> ConnectAsync(TlsServerContext context, params string[] arguments)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var process = Process.Start(
            new ProcessStartInfo(Path, ["s_client", "-connect", listener.LocalEndpoint.ToString()!, "-servername", "localhost", "-ign_eof", .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            using Socket socket = await listener.AcceptSocketAsync().WaitAsync(TlsPair.Patience);
            await using var stream = new NetworkStream(socket);
            using TlsServerConnection tls = context.Accept();
            (TlsStatus status, bool isQueueEmpty) = await HandshakeAsync(tls, stream).WaitAsync(TlsPair.Patience);
            ReadOnlyMemory<byte>[] chain = status == TlsStatus.Done ? [.. tls.GetClientChain()] : [];
            socket.Shutdown(SocketShutdown.Send);
            await stream.CopyToAsync(Stream.Null).WaitAsync(TlsPair.Patience);
            await process.WaitForExitAsync().WaitAsync(TlsPair.Patience);
            return new Result(status, tls.Failure, status == TlsStatus.Done && tls.IsResumed, chain, isQueueEmpty, await output + await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static async Task<(TlsStatus Status, bool IsQueueEmpty)> HandshakeAsync(TlsServerConnection tls, NetworkStream stream)
    {
        PipeReader reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        PipeWriter writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        while (true)
        {
            ReadResult received = await reader.ReadAsync();
            ReadOnlySequence<byte> left = received.Buffer;
            TlsStatus status = tls.Handshake(ref left, writer);
            bool isQueueEmpty = Libcrypto.ERR_peek_error() == 0;
            reader.AdvanceTo(left.Start);
            if (status == TlsStatus.Done)
            {
                tls.Shutdown(writer);
            }

            await writer.FlushAsync();
            if (status != TlsStatus.WantRead || received.IsCompleted)
            {
                return (status, isQueueEmpty);
            }
        }
    }

    /// <summary>What it came to, on both sides.</summary>
    internal sealed record Result(
        TlsStatus Status, TlsFailure Failure, bool IsResumed, IReadOnlyList<ReadOnlyMemory<byte>> Chain, bool IsErrorQueueEmpty, string Said)
    {
        /// <summary>Subjects of the verified chain.</summary>
        public string Names => string.Join(" < ", Chain.Select(static der =>
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der.Span);
            return certificate.Subject;
        }));
    }
}
