using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <summary>An X509_STORE: certificates that are trusted, and revocation lists. Contexts made with it hold their own reference.</summary>
internal sealed class X509StoreHandle : SafeHandle
{
    /// <summary>A new, empty one.</summary>
    /// <exception cref="OpenSslException">No memory.</exception>
    public X509StoreHandle()
        : base(0, ownsHandle: true)
    {
        SetHandle(Libcrypto.X509_STORE_new());
        if (IsInvalid)
        {
            throw new OpenSslException(OpenSslError.Failed, $"OpenSSL made no store of certificates: {Libcrypto.TakeErrors()}.");
        }
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        Libcrypto.X509_STORE_free(handle);
        return true;
    }
}
