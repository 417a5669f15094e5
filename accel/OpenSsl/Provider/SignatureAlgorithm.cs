using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>
/// The provider's SIGNATURE (provider-signature(7)). Messages are signed in one call, as libssl does from TLS 1.2 on; signing piece
/// by piece is not offered, since a piece-wise context would have to be duplicable.
/// </summary>
internal static unsafe class SignatureAlgorithm
{
    private static readonly OsslParam* Settable = OsslParam.CreateTable(
        ("digest", OsslParam.Utf8String),
        ("pad-mode", OsslParam.Utf8String),
        ("mgf1-digest", OsslParam.Utf8String),
        ("saltlen", OsslParam.Utf8String));

    public static OsslDispatch* CreateTable() => OsslDispatch.CreateTable(
        (1, (nint)(delegate* unmanaged<nint, byte*, nint>)&NewContext),
        (2, (nint)(delegate* unmanaged<nint, nint, OsslParam*, int>)&SignInit),
        (3, (nint)(delegate* unmanaged<nint, byte*, nuint*, nuint, byte*, nuint, int>)&Sign),
        (8, (nint)(delegate* unmanaged<nint, byte*, nint, OsslParam*, int>)&DigestSignInit),
        (11, (nint)(delegate* unmanaged<nint, byte*, nuint*, nuint, byte*, nuint, int>)&DigestSign),
        (16, (nint)(delegate* unmanaged<nint, void>)&FreeContext),
        (20, (nint)(delegate* unmanaged<nint, OsslParam*, int>)&SetContextParams),
        (21, (nint)(delegate* unmanaged<nint, nint, OsslParam*>)&SettableContextParams));

    [UnmanagedCallersOnly]
    private static nint NewContext(nint providerContext, byte* properties)
    {
        try
        {
            return SignatureContext.Open();
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
            SignatureContext.Get(handle).Close();
        }
        catch (Exception exception)
        {
            ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int SignInit(nint handle, nint key, OsslParam* parameters)
    {
        try
        {
            return SignatureContext.Get(handle).TryBegin(key, parameters) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int DigestSignInit(nint handle, byte* digest, nint key, OsslParam* parameters)
    {
        try
        {
            SignatureContext context = SignatureContext.Get(handle);
            bool isKnown = digest is null || context.TrySetDigest(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(digest));
            return isKnown && context.TryBegin(key, parameters) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int Sign(nint handle, byte* signature, nuint* length, nuint capacity, byte* hash, nuint hashLength)
    {
        try
        {
            SignatureContext context = SignatureContext.Get(handle);
            int size = context.SignatureBytes;
            *length = (nuint)size;
            if (signature is null)
            {
                // Only the size is asked for.
                return size > 0 ? 1 : 0;
            }

            ReadOnlySpan<byte> input = new(hash, checked((int)hashLength));
            return capacity >= (nuint)size && context.TrySignHash(input, new Span<byte>(signature, size)) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int DigestSign(nint handle, byte* signature, nuint* length, nuint capacity, byte* message, nuint messageLength)
    {
        try
        {
            SignatureContext context = SignatureContext.Get(handle);
            int size = context.SignatureBytes;
            *length = (nuint)size;
            if (signature is null)
            {
                return size > 0 ? 1 : 0;
            }

            ReadOnlySpan<byte> input = new(message, checked((int)messageLength));
            return capacity >= (nuint)size && context.TrySignMessage(input, new Span<byte>(signature, size)) ? 1 : 0;
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
            return SignatureContext.Get(handle).TrySet(parameters) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static OsslParam* SettableContextParams(nint handle, nint providerContext) => Settable;
}
