using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>Loads a <see cref="ServerCertificate"/> from PEM files. An RSA key goes the way that is configured, an ECDSA key stays in software.</summary>
internal static class CertificateFile
{
    private const int MinRsaBits = 2048;

    /// <summary>Reads and checks both files.</summary>
    /// <param name="path">The certificate and its intermediates.</param>
    /// <param name="keyPath">The key; may be the same file.</param>
    /// <param name="password">UTF-8, when there is one. The caller zeroes it.</param>
    /// <param name="accelerator">Takes RSA keys.</param>
    /// <param name="way">Of the private-key operations; by default that of all keys.</param>
    /// <param name="fallback">What computes when no device does; by default that of all keys.</param>
    /// <param name="pool">Where intermediates are shared; null: with nobody.</param>
    /// <exception cref="BadInputException">They cannot be used.</exception>
    public static ServerCertificate Load(
        string path, string keyPath, ReadOnlySpan<byte> password, Accelerator accelerator, OffloadPath? way = null,
        OffloadFallback? fallback = null, IntermediatePool? pool = null)
    {
        using PemFile file = PemFile.Read(path, "Certificate file");
        X509Certificate2Collection certificates = file.ReadCertificates();
        X509Certificate2 certificate = certificates[0];
        certificates.RemoveAt(0);

        // One file is read once: it may be a pipe.
        using PemFile keyFile = keyPath == path ? file : PemFile.Read(keyPath, "Key file");
        try
        {
            using PrivateKey key = PrivateKeyPem.Load(keyFile.Bytes, password);
            if (key.Type != PrivateKeyType.Rsa)
            {
                return new ServerCertificate(certificate, certificates, key, path, pool);
            }

            if (key.Bits < MinRsaBits)
            {
                throw new BadInputException($"The RSA key in '{keyPath}' has {key.Bits} bits; it must have at least {MinRsaBits}.");
            }

            OffloadedRsaKey offloaded = accelerator.Offload(key, way ?? accelerator.Plan.Resolve(null), fallback ?? accelerator.Plan.DefaultFallback);
            try
            {
                return new ServerCertificate(certificate, certificates, offloaded, path, pool);
            }
            catch
            {
                offloaded.Dispose();
                throw;
            }
        }
        catch (OpenSslException exception)
        {
            throw new BadInputException(Sentence(exception, path, keyPath), exception);
        }
        catch (LinuxException exception)
        {
            throw new BadInputException($"The key in '{keyPath}' cannot be kept: {exception.Message}.", exception);
        }
        catch (CryptographicException exception)
        {
            // .NET reads the certificate's own key only here, and it may be damaged.
            throw new BadInputException(
                $"The certificate in '{path}' cannot be used with the key in '{keyPath}': {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    private static string Sentence(OpenSslException exception, string path, string keyPath) => exception.Error switch
    {
        OpenSslError.KeyMismatch => $"The key in '{keyPath}' does not belong to the certificate in '{path}'.",
        OpenSslError.PasswordNeeded =>
            $"The key in '{keyPath}' is encrypted; give its password with --key-password-file or in the environment as {KeyPassword.EnvironmentVariable}.",
        OpenSslError.WrongPassword => $"The password given does not open the key in '{keyPath}', or the key is damaged.",
        OpenSslError.NoPrivateKey =>
            $"Key file '{keyPath}' has no private key; it must have a block PRIVATE KEY, ENCRYPTED PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY.",
        OpenSslError.Failed => $"The certificate in '{path}' cannot be served: {exception.Message}",
        _ => $"The key in '{keyPath}' cannot be used: {exception.Message}",
    };
}
