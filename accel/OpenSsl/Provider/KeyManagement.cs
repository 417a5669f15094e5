using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>The provider's KEYMGMT (provider-keymgmt(7)): what OpenSSL may do with a <see cref="ProviderKey"/>.</summary>
internal static unsafe class KeyManagement
{
    private const int SelectPrivate = 1;
    private const int SelectPublic = 2;

    private static readonly OsslParam* Gettable = OsslParam.CreateTable(
        ("bits", OsslParam.Integer),
        ("security-bits", OsslParam.Integer),
        ("max-size", OsslParam.Integer),
        ("default-digest", OsslParam.Utf8String),
        ("n", OsslParam.UnsignedInteger),
        ("e", OsslParam.UnsignedInteger));

    private static readonly OsslParam* PublicTypes =
        OsslParam.CreateTable(("n", OsslParam.UnsignedInteger), ("e", OsslParam.UnsignedInteger));

    public static OsslDispatch* CreateTable() => OsslDispatch.CreateTable(
        (1, (nint)(delegate* unmanaged<nint, nint>)&New),
        (10, (nint)(delegate* unmanaged<nint, void>)&Free),
        (11, (nint)(delegate* unmanaged<nint, OsslParam*, int>)&GetParams),
        (12, (nint)(delegate* unmanaged<nint, OsslParam*>)&GettableParams),
        (20, (nint)(delegate* unmanaged<int, byte*>)&QueryOperationName),
        (21, (nint)(delegate* unmanaged<nint, int, int>)&Has),
        (23, (nint)(delegate* unmanaged<nint, nint, int, int>)&Match),
        (40, (nint)(delegate* unmanaged<nint, int, OsslParam*, int>)&Import),
        (41, (nint)(delegate* unmanaged<int, OsslParam*>)&Types),
        (42, (nint)(delegate* unmanaged<nint, int, delegate* unmanaged<OsslParam*, void*, int>, void*, int>)&Export),
        (43, (nint)(delegate* unmanaged<int, OsslParam*>)&Types));

    // The name under which operations with these keys are to be looked for.
    [UnmanagedCallersOnly]
    private static byte* QueryOperationName(int operation) => WarpProvider.OperationName;

    [UnmanagedCallersOnly]
    private static nint New(nint providerContext)
    {
        try
        {
            nint handle = ProviderHandle.Create(new ProviderKey());
            ProviderHandle.CountGiven();
            return handle;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static void Free(nint handle)
    {
        if (handle == 0)
        {
            return;
        }

        try
        {
            ProviderKey key = ProviderHandle.Get<ProviderKey>(handle);
            ProviderHandle.Free(handle);
            ProviderHandle.CountTakenBack();
            key.Private?.Release();
        }
        catch (Exception exception)
        {
            ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int GetParams(nint handle, OsslParam* parameters)
    {
        try
        {
            ProviderKey key = ProviderHandle.Get<ProviderKey>(handle);
            for (; parameters->Key is not null; parameters++)
            {
                if (!TryGet(key, ref *parameters))
                {
                    return 0;
                }
            }

            return 1;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static OsslParam* GettableParams(nint providerContext) => Gettable;

    [UnmanagedCallersOnly]
    private static int Has(nint handle, int selection)
    {
        ProviderKey key = ProviderHandle.Get<ProviderKey>(handle);
        bool isThere = ((selection & SelectPublic) == 0 || key.HasPublic) && ((selection & SelectPrivate) == 0 || key.Private is not null);
        return isThere ? 1 : 0;
    }

    [UnmanagedCallersOnly]
    private static int Match(nint left, nint right, int selection) =>
        ProviderHandle.Get<ProviderKey>(left).HasSamePublic(ProviderHandle.Get<ProviderKey>(right)) ? 1 : 0;

    [UnmanagedCallersOnly]
    private static int Import(nint handle, int selection, OsslParam* parameters)
    {
        try
        {
            ProviderKey key = ProviderHandle.Get<ProviderKey>(handle);
            for (; parameters->Key is not null; parameters++)
            {
                if (parameters->Is("n"u8) && parameters->TryGetNumber(out byte[] modulus))
                {
                    key.Modulus = modulus;
                }
                else if (parameters->Is("e"u8) && parameters->TryGetNumber(out byte[] exponent))
                {
                    key.Exponent = exponent;
                }
                else if (parameters->Is(WarpProvider.IdParameter) && parameters->DataSize == sizeof(ulong) && key.Private is null)
                {
                    OffloadedRsaKey? found = WarpProvider.FindKeyToImport(*(ulong*)parameters->Data);
                    key.Private = found is not null && found.TryHold() ? found : null;
                }
            }

            // A private key comes by its id alone; one in numbers stays where it is.
            return key.HasPublic && ((selection & SelectPrivate) == 0 || key.Private is not null) ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static OsslParam* Types(int selection) => (selection & SelectPrivate) != 0 ? null : PublicTypes;

    [UnmanagedCallersOnly]
    private static int Export(nint handle, int selection, delegate* unmanaged<OsslParam*, void*, int> take, void* argument)
    {
        // Never less than was asked for: OpenSSL offers each key to the default provider first, and would sign there with what it got.
        if ((selection & SelectPrivate) != 0)
        {
            return 0;
        }

        try
        {
            ProviderKey key = ProviderHandle.Get<ProviderKey>(handle);
            if (!key.HasPublic)
            {
                return 0;
            }

            byte[] modulus = [.. key.Modulus!];
            byte[] exponent = [.. key.Exponent!];
            Array.Reverse(modulus);
            Array.Reverse(exponent);
            fixed (byte* modulusName = "n\0"u8, exponentName = "e\0"u8, n = modulus, e = exponent)
            {
                OsslParam* parameters = stackalloc OsslParam[3];
                parameters[0] = new() { Key = modulusName, Type = OsslParam.UnsignedInteger, Data = n, DataSize = (nuint)modulus.Length };
                parameters[1] = new() { Key = exponentName, Type = OsslParam.UnsignedInteger, Data = e, DataSize = (nuint)exponent.Length };
                parameters[2] = default;
                return take(parameters, argument);
            }
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    private static bool TryGet(ProviderKey key, ref OsslParam parameter)
    {
        if (parameter.Is("bits"u8))
        {
            return parameter.SetInteger(key.ModulusBits);
        }

        if (parameter.Is("security-bits"u8))
        {
            return parameter.SetInteger(SecurityBits(key.ModulusBits));
        }

        if (parameter.Is("max-size"u8))
        {
            return parameter.SetInteger((key.ModulusBits + 7) / 8);
        }

        if (parameter.Is("default-digest"u8))
        {
            return parameter.SetText("SHA256"u8);
        }

        if (parameter.Is("n"u8) && key.Modulus is not null)
        {
            return parameter.SetNumber(key.Modulus);
        }

        if (parameter.Is("e"u8) && key.Exponent is not null)
        {
            return parameter.SetNumber(key.Exponent);
        }

        // Unknown: left as it is, as provider-keymgmt(7) wants it.
        return true;
    }

    /// <summary>SP 800-56B, table 4; the next lower entry for sizes between.</summary>
    private static int SecurityBits(int modulusBits) => modulusBits switch
    {
        >= 15360 => 256,
        >= 8192 => 200,
        >= 7680 => 192,
        >= 6144 => 176,
        >= 4096 => 152,
        >= 3072 => 128,
        >= 2048 => 112,
        >= 1024 => 80,
        _ => 0,
    };
}
