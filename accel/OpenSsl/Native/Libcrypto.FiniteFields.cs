namespace WarpDrive.OpenSsl.Native;

/// <content>Groups of Diffie-Hellman over finite fields.</content>
internal static unsafe partial class Libcrypto
{
    private const int EVP_PKEY_KEY_PARAMETERS = 0x84;

    /// <summary>Parameters of a named group; 0 when there is none of this name. The caller frees them.</summary>
    public static nint CreateFiniteField(nint library, ReadOnlySpan<byte> name)
    {
        nint context = EVP_PKEY_CTX_new_from_name(library, "DH", null);
        nint created = 0;
        fixed (byte* groupName = "group\0"u8, text = name)
        {
            OsslParam* parameters = stackalloc OsslParam[2];
            parameters[0] = new() { Key = groupName, Type = OsslParam.Utf8String, Data = text, DataSize = (nuint)name.Length };
            parameters[1] = default;
            bool isMade = context != 0
                && EVP_PKEY_fromdata_init(context) == 1
                && EVP_PKEY_fromdata(context, &created, EVP_PKEY_KEY_PARAMETERS, parameters) == 1;
            EVP_PKEY_CTX_free(context);
            return isMade ? created : 0;
        }
    }
}
