namespace WarpDrive.OpenSsl.Tls;

/// <summary>Versions of TLS, with their numbers on the wire.</summary>
public enum TlsVersion
{
    /// <summary>None is named: the library's own bound.</summary>
    Any = 0,

    /// <summary>RFC 5246.</summary>
    Tls12 = 0x0303,

    /// <summary>RFC 8446.</summary>
    Tls13 = 0x0304,
}
