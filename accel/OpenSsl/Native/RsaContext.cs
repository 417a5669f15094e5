using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace WarpDrive.OpenSsl.Native;

/// <summary>An EVP_PKEY_CTX made ready for raw RSA operations with one key of the default provider. One thread at a time.</summary>
internal sealed class RsaContext : SafeHandle
{
    private RsaContext(nint context)
        : base(0, ownsHandle: true)
    {
        SetHandle(context);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>For m^d mod n by <see cref="Libcrypto.EVP_PKEY_sign"/>.</summary>
    public static RsaContext CreatePrivate(SafeEvpPKeyHandle key)
    {
        RsaContext context = new(Libcrypto.EVP_PKEY_CTX_new_from_pkey(0, key, null));
        return context.RequireRaw(!context.IsInvalid && Libcrypto.EVP_PKEY_sign_init(context.handle) == 1);
    }

    /// <summary>For m^e mod n by <see cref="Libcrypto.EVP_PKEY_encrypt"/>.</summary>
    public static RsaContext CreatePublic(SafeEvpPKeyHandle key)
    {
        RsaContext context = new(Libcrypto.EVP_PKEY_CTX_new_from_pkey(0, key, null));
        return context.RequireRaw(!context.IsInvalid && Libcrypto.EVP_PKEY_encrypt_init(context.handle) == 1);
    }

    protected override bool ReleaseHandle()
    {
        Libcrypto.EVP_PKEY_CTX_free(handle);
        return true;
    }

    private RsaContext RequireRaw(bool isInitialised)
    {
        if (!isInitialised || Libcrypto.EVP_PKEY_CTX_set_rsa_padding(handle, Libcrypto.RSA_NO_PADDING) != 1)
        {
            Dispose();
            throw new OpenSslException(OpenSslError.Failed, $"OpenSSL did not begin an RSA operation: {Libcrypto.TakeErrors()}.");
        }

        return this;
    }
}
