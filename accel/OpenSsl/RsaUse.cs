namespace WarpDrive.OpenSsl;

/// <summary>What a private-key operation is for.</summary>
public enum RsaUse
{
    /// <summary>Not said.</summary>
    Raw,

    /// <summary>A signature with the padding of PKCS#1 v1.5 (RFC 8017 8.2).</summary>
    Pkcs1Signature,

    /// <summary>A probabilistic signature, PSS (RFC 8017 8.1): all of TLS 1.3.</summary>
    PssSignature,

    /// <summary>The premaster secret of TLS 1.2 and before with RSA key exchange (RFC 5246 7.4.7.1).</summary>
    Decryption,
}
