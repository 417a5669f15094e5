using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>
/// The certificate for localhost that is used when none is given: made on the first run, kept, and made again when it is about
/// to expire. <c>localhost-key.pem</c> holds certificate and key together, so that both change at once; <c>localhost.pem</c> is the
/// certificate alone, for clients.
/// </summary>
internal sealed class DevelopmentCertificate(string directory, TimeProvider time, ILogger<DevelopmentCertificate> logger)
{
    private const int KeyBits = 2048;
    private const int MaxPkcs8Bytes = 4096;             // an RSA-2048 key takes about 1220
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(14);

    private readonly string _keyFile = Path.Combine(directory, "localhost-key.pem");

    /// <summary>The certificate alone: what curl takes as <c>--cacert</c>.</summary>
    public string ClientFile { get; } = Path.Combine(directory, "localhost.pem");

    /// <summary>Whether <see cref="Load"/> made a new one.</summary>
    public bool IsNew { get; private set; }

    private static ReadOnlySpan<byte> KeyLabel => "PRIVATE KEY"u8;      // RFC 7468 10

    /// <summary><c>$XDG_DATA_HOME/warpproxy</c>, or <c>~/.local/share/warpproxy</c>.</summary>
    /// <exception cref="BadInputException">There is neither.</exception>
    public static string DefaultDirectory()
    {
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return data.Length > 0
            ? Path.Combine(data, "warpproxy")
            : throw new BadInputException(
                "There is no place for a development certificate: set HOME or XDG_DATA_HOME, or give --certificate and --key.");
    }

    /// <summary>Loads it, or makes it.</summary>
    /// <param name="accelerator">Takes the key.</param>
    /// <param name="path">The way of its operations; by default that of all keys.</param>
    /// <exception cref="BadInputException">The directory cannot be written.</exception>
    public ServerCertificate Load(Accelerator accelerator, OffloadPath? path = null)
    {
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (File.Exists(_keyFile) && WhyNot() is { } reason)
            {
                logger.DevelopmentCertificateReplaced(directory, reason);
                Make(overwrite: true);
            }
            else if (!File.Exists(_keyFile))
            {
                Make(overwrite: false);
            }

            using PemFile file = PemFile.Read(_keyFile, "Development certificate");
            KeepClientFile(Encoding.ASCII.GetBytes(file.ReadCertificates()[0].ExportCertificatePem()));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(
                $"The development certificate cannot be kept in '{directory}': {exception.Message.TrimEnd('.')}; set XDG_DATA_HOME, or give --certificate and --key.",
                exception);
        }

        return CertificateFile.Load(_keyFile, _keyFile, password: default, accelerator, path);
    }

    /// <summary>Why the one that is kept cannot be used any longer; null when it can.</summary>
    /// <exception cref="BadInputException">It cannot be read. It may be good, so it is not replaced.</exception>
    private string? WhyNot()
    {
        using PemFile file = PemFile.Read(_keyFile, "Development certificate");
        try
        {
            using X509Certificate2 certificate = file.ReadCertificates()[0];
            using PrivateKey key = PrivateKeyPem.Load(file.Bytes, password: default);
            using X509Certificate2 joined = key.Attach(certificate);
            return certificate.NotAfter - RenewBefore <= time.GetUtcNow().LocalDateTime
                ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it ends on {certificate.NotAfter:yyyy-MM-dd}")
                : null;
        }
        catch (Exception exception) when (exception is BadInputException or OpenSslException or CryptographicException)
        {
            return exception.Message.TrimEnd('.');
        }
    }

    /// <summary>Written only when it has to change: a directory that cannot be written serves as long as its certificate is good.</summary>
    private void KeepClientFile(byte[] pem)
    {
        if (!File.Exists(ClientFile) || !File.ReadAllBytes(ClientFile).AsSpan().SequenceEqual(pem))
        {
            WriteAtomically(ClientFile, pem, overwrite: true);
        }
    }

    private void Make(bool overwrite)
    {
        using var key = RSA.Create(KeyBits);
        var request = new CertificateRequest("CN=localhost, O=WarpProxy development", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));

        // From an hour ago, for clients whose clock is behind.
        DateTimeOffset now = time.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(1));
        byte[] certificatePem = Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n");

        // The key's bytes and their PEM are pinned and zeroed, so that no copy of the key stays in memory.
        byte[] pkcs8 = GC.AllocateArray<byte>(MaxPkcs8Bytes, pinned: true);
        byte[] pem = [];
        try
        {
            if (!key.TryExportPkcs8PrivateKey(pkcs8, out int keyBytes))
            {
                throw new CryptographicException($"An RSA-{KeyBits} key is longer than {MaxPkcs8Bytes} bytes.");
            }

            int keyPemBytes = PemEncoding.GetEncodedSize(KeyLabel.Length, keyBytes);
            pem = GC.AllocateArray<byte>(certificatePem.Length + keyPemBytes + 1, pinned: true);
            certificatePem.CopyTo(pem, 0);
            PemEncoding.TryWriteUtf8(KeyLabel, pkcs8.AsSpan(0, keyBytes), pem.AsSpan(certificatePem.Length), out _);
            pem[^1] = (byte)'\n';
            IsNew = WriteAtomically(_keyFile, pem, overwrite);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
            CryptographicOperations.ZeroMemory(pem);
        }
    }

    /// <summary>
    /// Readers see the old file or the new one, never a part; only the owner can read it. Without <paramref name="overwrite"/> the
    /// first of two proxies that start together wins, and false tells the other to use what is there.
    /// </summary>
    private bool WriteAtomically(string path, ReadOnlySpan<byte> content, bool overwrite)
    {
        string temporary = Path.Combine(directory, Path.GetRandomFileName());
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,         // no second copy of the key
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite);
            return true;
        }
        catch (IOException) when (!overwrite && File.Exists(path))
        {
            return false;
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
