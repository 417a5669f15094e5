namespace WarpDrive.OpenSsl.Tls;

/// <summary>Versions of TLS, with their numbers on the wire.</summary>
public enum TlsVersion
{
    /// <summary>None is named: the library's own bound.</summary>
    Any = 0,

    /// <summary>RFC 2246; obsolete by RFC 8996.</summary>
    Tls10 = 0x0301,

    /// <summary>RFC 4346; obsolete by RFC 8996.</summary>
    Tls11 = 0x0302,

    /// <summary>RFC 5246.</summary>
    Tls12 = 0x0303,

    /// <summary>RFC 8446.</summary>
    Tls13 = 0x0304,
}
