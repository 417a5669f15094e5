using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <summary>OSSL_DISPATCH of core.h: one function of a provider. A table ends with <see cref="Function"/> 0.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OsslDispatch
{
    /// <summary>OSSL_FUNC_... of core_dispatch.h.</summary>
    public int Function;

    public nint Address;

    /// <summary>A table in memory that is never freed: OpenSSL keeps pointers to it for as long as the process lives.</summary>
    public static OsslDispatch* CreateTable(params ReadOnlySpan<(int Function, nint Address)> entries)
    {
        OsslDispatch* table = (OsslDispatch*)NativeMemory.AllocZeroed((nuint)entries.Length + 1, (nuint)sizeof(OsslDispatch));
        for (int i = 0; i < entries.Length; i++)
        {
            table[i].Function = entries[i].Function;
            table[i].Address = entries[i].Address;
        }

        return table;
    }
}
