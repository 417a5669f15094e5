using System.Runtime.InteropServices;
using System.Text;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>An SSL_CTX, and the settings that clients and servers have alike. Connections made from it hold their own reference.</summary>
internal sealed unsafe class SslContextHandle : SafeHandle
{
    public SslContextHandle(nint context)
        : base(0, ownsHandle: true)
    {
        SetHandle(context);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>Empties the error queue into an exception unless something is done.</summary>
    /// <exception cref="OpenSslException">It is not.</exception>
    public static void Require(bool isDone, string sentence)
    {
        if (!isDone)
        {
            throw new OpenSslException(OpenSslError.Failed, $"{sentence}: {Libcrypto.TakeErrors()}.");
        }
    }

    /// <exception cref="OpenSslException">OpenSSL was built or configured without them.</exception>
    public void SetVersions(TlsVersion lowest, TlsVersion highest) =>
        Require(Libssl.SetVersions(this, (int)lowest, (int)highest), $"OpenSSL does not allow the versions {lowest} to {highest}");

    /// <param name="list">For TLS 1.2, in the language of ciphers(1); null leaves it to OpenSSL.</param>
    /// <param name="suites">For TLS 1.3, with colons between; null leaves them to OpenSSL.</param>
    /// <exception cref="OpenSslException">OpenSSL knows none of the list, or not all of the suites.</exception>
    public void SetCiphers(string? list, string? suites)
    {
        Require(list is null || Libssl.SSL_CTX_set_cipher_list(this, list) == 1, $"OpenSSL knows no cipher of '{list}'");
        Require(suites is null || Libssl.SSL_CTX_set_ciphersuites(this, suites) == 1, $"OpenSSL does not know all cipher suites of '{suites}'");
    }

    /// <param name="groups">With colons between; null leaves them to OpenSSL.</param>
    /// <exception cref="OpenSslException">OpenSSL does not know all of them.</exception>
    public void SetGroups(string? groups)
    {
        if (groups is not null)
        {
            fixed (byte* bytes = Encoding.UTF8.GetBytes(groups + '\0'))
            {
                Require(Libssl.SetGroups(this, bytes), $"OpenSSL does not know all groups of '{groups}'");
            }
        }
    }

    /// <param name="algorithms">With colons between, those of TLS 1.3 by their names there; null leaves them to OpenSSL.</param>
    /// <exception cref="OpenSslException">OpenSSL does not know all of them.</exception>
    public void SetSignatureAlgorithms(string? algorithms)
    {
        if (algorithms is not null)
        {
            fixed (byte* bytes = Encoding.UTF8.GetBytes(algorithms + '\0'))
            {
                Require(Libssl.SetSignatureAlgorithms(this, bytes), $"OpenSSL does not know all signature algorithms of '{algorithms}'");
            }
        }
    }

    protected override bool ReleaseHandle()
    {
        Libssl.SSL_CTX_free(handle);
        return true;
    }
}
