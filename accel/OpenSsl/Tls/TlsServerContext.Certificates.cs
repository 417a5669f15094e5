using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <content>Certificates, and the connections that get them.</content>
public sealed unsafe partial class TlsServerContext
{
    private readonly (TlsServerCertificate Certificate, X509ChainHandle Chain)[] _certificates = [];

    /// <summary>Which of the context's certificates an X509 of one of its connections is; null for none.</summary>
    internal TlsServerCertificate? FindCertificate(nint x509)
    {
        foreach ((TlsServerCertificate certificate, X509ChainHandle chain) in _certificates)
        {
            if (chain.Leaf == x509)
            {
                return certificate;
            }
        }

        return null;
    }

    private static (TlsServerCertificate Certificate, X509ChainHandle Chain)[] UseCertificates(IReadOnlyList<TlsServerCertificate> certificates)
    {
        var used = new List<(TlsServerCertificate Certificate, X509ChainHandle Chain)>(certificates.Count);
        try
        {
            foreach (TlsServerCertificate certificate in certificates)
            {
                used.Add((certificate, certificate.DecodeChain()));
            }

            return [.. used];
        }
        catch
        {
            used.ForEach(static one => one.Chain.Dispose());
            throw;
        }
    }

    /// <summary>An SSL with the certificates; 0 when the context or one of them is disposed.</summary>
    private nint TryCreate()
    {
        nint ssl;
        try
        {
            ssl = Libssl.SSL_new(_context);
        }
        catch (ObjectDisposedException)
        {
            return 0;
        }

        try
        {
            SslContextHandle.Require(ssl != 0, "OpenSSL made no connection");
            if (TryGiveCertificates(ssl))
            {
                nint taken = ssl;
                ssl = 0;
                return taken;
            }

            return 0;
        }
        finally
        {
            Libssl.SSL_free(ssl);
        }
    }

    private bool TryGiveCertificates(nint ssl)
    {
        foreach ((TlsServerCertificate certificate, X509ChainHandle chain) in _certificates)
        {
            bool isHeld = false;
            try
            {
                chain.DangerousAddRef(ref isHeld);
                if (!certificate.TryGive(ssl, chain))
                {
                    return false;
                }
            }
            catch (ObjectDisposedException)
            {
                return false;
            }
            finally
            {
                if (isHeld)
                {
                    chain.DangerousRelease();
                }
            }
        }

        return true;
    }
}
