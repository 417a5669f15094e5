namespace WarpDrive.OpenSsl;

/// <summary>What an <see cref="OpenSslException"/> is about.</summary>
public enum OpenSslError
{
    /// <summary>Never used.</summary>
    None,

    /// <summary>An operation failed for a reason that only the message tells.</summary>
    Failed,

    /// <summary>The PEM text holds no private key.</summary>
    NoPrivateKey,

    /// <summary>The private key is encrypted and no password was given.</summary>
    PasswordNeeded,

    /// <summary>The private key is encrypted with another password, or damaged.</summary>
    WrongPassword,

    /// <summary>The private key is neither RSA nor EC, or in a form, of a size or encrypted in a way that is not supported.</summary>
    UnsupportedKey,

    /// <summary>The private key cannot be read, or its numbers do not fit each other.</summary>
    DamagedKey,

    /// <summary>The private key does not belong to the certificate.</summary>
    KeyMismatch,

    /// <summary>The OCSP response is damaged, about another certificate, not signed as it must be, or says that the certificate is unknown.</summary>
    UnusableOcspResponse,
}
