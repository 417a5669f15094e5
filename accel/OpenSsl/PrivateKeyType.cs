namespace WarpDrive.OpenSsl;

/// <summary>Kinds of private keys that are supported.</summary>
public enum PrivateKeyType
{
    /// <summary>Never used.</summary>
    None,

    /// <summary>RSA (rsaEncryption; not the kind restricted to PSS).</summary>
    Rsa,

    /// <summary>Elliptic curve, for ECDSA; never offloaded.</summary>
    Ec,
}
