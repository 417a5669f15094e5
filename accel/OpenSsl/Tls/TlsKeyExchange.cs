namespace WarpDrive.OpenSsl.Tls;

/// <summary>How a cipher suite agrees on keys.</summary>
public enum TlsKeyExchange
{
    /// <summary>The suite does not say: TLS 1.3, always with ephemeral keys.</summary>
    Any,

    /// <summary>ECDHE: ephemeral keys on elliptic curves.</summary>
    EllipticCurve,

    /// <summary>DHE: ephemeral keys in finite fields.</summary>
    FiniteField,

    /// <summary>The client encrypts to the certificate's key: whoever has that key later reads what was recorded.</summary>
    Rsa,
}
