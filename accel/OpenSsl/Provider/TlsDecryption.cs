using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Padding;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>
/// The provider's ASYM_CIPHER (provider-asym_cipher(7)): decryption for TLS 1.2 RSA key exchange, and no other.
/// RSAES-PKCS1-v1_5, OAEP and raw decryption are refused.
/// </summary>
internal static unsafe class TlsDecryption
{
    private static readonly OsslParam* Settable = OsslParam.CreateTable(
        ("pad-mode", OsslParam.Integer),
        ("tls-client-version", OsslParam.UnsignedInteger),
        ("tls-negotiated-version", OsslParam.UnsignedInteger));

    public static OsslDispatch* CreateTable() => OsslDispatch.CreateTable(
        (1, (nint)(delegate* unmanaged<nint, nint>)&NewContext),
        (4, (nint)(delegate* unmanaged<nint, nint, OsslParam*, int>)&DecryptInit),
        (5, (nint)(delegate* unmanaged<nint, byte*, nuint*, nuint, byte*, nuint, int>)&Decrypt),
        (6, (nint)(delegate* unmanaged<nint, void>)&FreeContext),
        (10, (nint)(delegate* unmanaged<nint, OsslParam*, int>)&SetContextParams),
        (11, (nint)(delegate* unmanaged<nint, nint, OsslParam*>)&SettableContextParams));

    [UnmanagedCallersOnly]
    private static nint NewContext(nint providerContext)
    {
        try
        {
            return TlsDecryptionContext.Open();
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static void FreeContext(nint handle)
    {
        if (handle == 0)
        {
            return;
        }

        try
        {
            TlsDecryptionContext.Get(handle).Close();
        }
        catch (Exception exception)
        {
            ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int DecryptInit(nint handle, nint key, OsslParam* parameters)
    {
        try
        {
            return TlsDecryptionContext.Get(handle).TryBegin(key, parameters) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int Decrypt(nint handle, byte* output, nuint* length, nuint capacity, byte* input, nuint inputLength)
    {
        try
        {
            *length = TlsPremaster.SizeInBytes;
            if (output is null)
            {
                // Only the size is asked for.
                return 1;
            }

            ReadOnlySpan<byte> ciphertext = new(input, checked((int)inputLength));
            return capacity >= TlsPremaster.SizeInBytes
                && TlsDecryptionContext.Get(handle).TryDecrypt(ciphertext, new Span<byte>(output, TlsPremaster.SizeInBytes)) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int SetContextParams(nint handle, OsslParam* parameters)
    {
        try
        {
            return TlsDecryptionContext.Get(handle).TrySet(parameters) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static OsslParam* SettableContextParams(nint handle, nint providerContext) => Settable;
}
