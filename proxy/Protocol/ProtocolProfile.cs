namespace WarpProxy.Protocol;

/// <summary>Sets of versions, suites, groups and signature algorithms, as Mozilla's guidelines "Server Side TLS" name them.</summary>
internal enum ProtocolProfile
{
    /// <summary>TLS 1.2 and 1.3, always with ephemeral keys: for nearly every client of the last ten years.</summary>
    Intermediate,

    /// <summary>TLS 1.3 alone.</summary>
    Modern,

    /// <summary>From TLS 1.0 on, with RSA key exchange and SHA-1: for clients that can do no better.</summary>
    Old,
}
