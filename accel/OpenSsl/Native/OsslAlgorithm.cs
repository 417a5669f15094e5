using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <summary>OSSL_ALGORITHM of core.h: what a provider implements, by name. A table ends with null <see cref="Names"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OsslAlgorithm
{
    public byte* Names;
    public byte* Properties;
    public OsslDispatch* Functions;
    public byte* Description;

    /// <summary>A table of one algorithm, never freed.</summary>
    public static OsslAlgorithm* CreateTable(string names, string properties, OsslDispatch* functions)
    {
        OsslAlgorithm* table = (OsslAlgorithm*)NativeMemory.AllocZeroed(2, (nuint)sizeof(OsslAlgorithm));
        table->Names = (byte*)Marshal.StringToCoTaskMemUTF8(names);
        table->Properties = (byte*)Marshal.StringToCoTaskMemUTF8(properties);
        table->Functions = functions;
        return table;
    }
}
