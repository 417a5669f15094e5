using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <summary>A server's certificate and those that lead on from it, as X509 objects of OpenSSL.</summary>
internal sealed unsafe class X509ChainHandle() : SafeHandle(0, ownsHandle: true)
{
    private nint[] _certificates = [];

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>X509 of the server. Valid while the handle is held.</summary>
    public nint Leaf => handle;

    /// <summary>STACK_OF(X509) of the others; null when there are none. Valid while the handle is held.</summary>
    public nint Intermediates { get; private set; }

    /// <summary>Decodes all of them.</summary>
    /// <param name="chain">DER; at least one.</param>
    /// <exception cref="OpenSslException">One cannot be read, or no memory.</exception>
    public static X509ChainHandle Decode(ReadOnlySpan<ReadOnlyMemory<byte>> chain)
    {
        var decoded = new X509ChainHandle { _certificates = new nint[chain.Length] };
        try
        {
            for (int i = 0; i < chain.Length; i++)
            {
                decoded._certificates[i] = Decode(chain[i].Span, i);
                if (i == 0)
                {
                    decoded.SetHandle(decoded._certificates[0]);
                }
                else
                {
                    decoded.Push(decoded._certificates[i]);
                }
            }

            return decoded;
        }
        catch
        {
            decoded.Dispose();
            throw;
        }
    }

    protected override bool ReleaseHandle()
    {
        Libcrypto.OPENSSL_sk_free(Intermediates);
        foreach (nint certificate in _certificates)
        {
            Libcrypto.X509_free(certificate);
        }

        return true;
    }

    private static nint Decode(ReadOnlySpan<byte> der, int index)
    {
        fixed (byte* bytes = der)
        {
            byte* next = bytes;
            nint decoded = Libcrypto.d2i_X509(null, &next, der.Length);
            return decoded != 0
                ? decoded
                : throw new OpenSslException(OpenSslError.Failed, $"OpenSSL cannot read certificate {index + 1} of the chain: {Libcrypto.TakeErrors()}.");
        }
    }

    private void Push(nint certificate)
    {
        Intermediates = Intermediates != 0 ? Intermediates : Libcrypto.OPENSSL_sk_new_null();
        if (Intermediates == 0 || Libcrypto.OPENSSL_sk_push(Intermediates, certificate) == 0)
        {
            throw new OpenSslException(OpenSslError.Failed, $"OpenSSL has no memory for a chain of certificates: {Libcrypto.TakeErrors()}.");
        }
    }
}
