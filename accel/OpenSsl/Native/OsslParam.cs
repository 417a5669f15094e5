using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <summary>
/// OSSL_PARAM of core.h: one named value that OpenSSL and a provider exchange. A table ends with null <see cref="Key"/>.
/// Numbers are little-endian.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OsslParam
{
    public const uint Integer = 1;
    public const uint UnsignedInteger = 2;
    public const uint Utf8String = 4;
    public const uint OctetString = 5;

    public byte* Key;
    public uint Type;
    public void* Data;
    public nuint DataSize;
    public nuint ReturnSize;

    /// <summary>A table that describes parameters without values, never freed.</summary>
    public static OsslParam* CreateTable(params ReadOnlySpan<(string Key, uint Type)> entries)
    {
        OsslParam* table = (OsslParam*)NativeMemory.AllocZeroed((nuint)entries.Length + 1, (nuint)sizeof(OsslParam));
        for (int i = 0; i < entries.Length; i++)
        {
            table[i].Key = (byte*)Marshal.StringToCoTaskMemUTF8(entries[i].Key);
            table[i].Type = entries[i].Type;
            table[i].ReturnSize = nuint.MaxValue; // OSSL_PARAM_UNMODIFIED
        }

        return table;
    }

    public readonly bool Is(ReadOnlySpan<byte> key) => MemoryMarshal.CreateReadOnlySpanFromNullTerminated(Key).SequenceEqual(key);

    /// <summary>Reads a number of 32 or 64 bits, or a text of decimal digits: OpenSSL sends either for the same parameter.</summary>
    public readonly bool TryGetInteger(out int value)
    {
        value = 0;
        switch (Type)
        {
            case Integer or UnsignedInteger when Data is not null && DataSize == sizeof(int):
                value = *(int*)Data;
                return true;
            case Integer or UnsignedInteger when Data is not null && DataSize == sizeof(long):
                value = (int)*(long*)Data;
                return value == *(long*)Data;
            case Utf8String:
                ReadOnlySpan<byte> text = GetText();
                return Utf8Parser.TryParse(text, out value, out int consumed) && consumed == text.Length;
            default:
                return false;
        }
    }

    /// <summary>The text, without its terminator; empty when the value is no text.</summary>
    public readonly ReadOnlySpan<byte> GetText()
    {
        if (Type != Utf8String || Data is null)
        {
            return [];
        }

        ReadOnlySpan<byte> text = new(Data, checked((int)DataSize));
        int end = text.IndexOf((byte)0);
        return end < 0 ? text : text[..end];
    }

    /// <summary>Reads an unsigned number of any size: big-endian without leading zeros.</summary>
    public readonly bool TryGetNumber(out byte[] number)
    {
        number = [];
        if (Type != UnsignedInteger || Data is null)
        {
            return false;
        }

        number = new ReadOnlySpan<byte>(Data, checked((int)DataSize)).TrimEnd((byte)0).ToArray();
        Array.Reverse(number);
        return number.Length > 0;
    }

    /// <summary>Answers with a small number. Without <see cref="Data"/> only the size is asked for.</summary>
    public bool SetInteger(int value)
    {
        ReturnSize = DataSize == sizeof(long) ? sizeof(long) : (nuint)sizeof(int);
        if (Data is null)
        {
            return true;
        }

        if (DataSize == sizeof(long))
        {
            *(long*)Data = value;
            return true;
        }

        if (DataSize == sizeof(int))
        {
            *(int*)Data = value;
            return true;
        }

        return false;
    }

    /// <inheritdoc cref="SetInteger"/>
    public bool SetText(ReadOnlySpan<byte> text)
    {
        ReturnSize = (nuint)text.Length;
        if (Data is null)
        {
            return true;
        }

        Span<byte> data = new(Data, checked((int)DataSize));
        if (!text.TryCopyTo(data))
        {
            return false;
        }

        data[text.Length..].Clear();
        return true;
    }

    /// <summary>Answers with a big-endian unsigned number of any size. Without <see cref="Data"/> only the size is asked for.</summary>
    public bool SetNumber(ReadOnlySpan<byte> number)
    {
        ReturnSize = (nuint)number.Length;
        if (Data is null)
        {
            return true;
        }

        Span<byte> data = new(Data, checked((int)DataSize));
        if (!number.TryCopyTo(data))
        {
            return false;
        }

        data[..number.Length].Reverse();
        data[number.Length..].Clear();
        ReturnSize = DataSize;
        return true;
    }
}
