using System.Globalization;
using System.Net;
using System.Text;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>The name of a server as a client asks for it and verifies it: a host name, or an address.</summary>
public sealed class TlsServerName
{
    private const int MaxLength = 253;

    /// <summary>Takes a name; one that is not ASCII is put into its ASCII form (IDNA).</summary>
    /// <exception cref="ArgumentException">It is no name of a host.</exception>
    public TlsServerName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        IsAddress = IPAddress.TryParse(name, out IPAddress? address);
        Name = IsAddress ? address!.ToString() : ToAscii(name);
        Bytes = Encoding.ASCII.GetBytes(Name + '\0');
    }

    /// <summary>The name in ASCII.</summary>
    public string Name { get; }

    /// <summary>Whether it is an address; those are verified, but never sent (RFC 6066 3).</summary>
    public bool IsAddress { get; }

    /// <summary>The name as a C string.</summary>
    internal byte[] Bytes { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static string ToAscii(string name)
    {
        string ascii;
        try
        {
            ascii = new IdnMapping().GetAscii(name);
        }
        catch (ArgumentException)
        {
            ascii = "";
        }

        bool isName = ascii.Length is > 0 and <= MaxLength && ascii.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');
        return isName ? ascii : throw new ArgumentException($"'{name}' is no name of a host.", nameof(name));
    }
}
