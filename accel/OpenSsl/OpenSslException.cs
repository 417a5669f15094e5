using System.Security.Cryptography;

namespace WarpDrive.OpenSsl;

/// <summary>OpenSSL refused a key, or failed an operation. The message is one sentence and never holds a secret.</summary>
public sealed class OpenSslException : CryptographicException
{
    internal OpenSslException(OpenSslError error, string message)
        : base(message)
    {
        Error = error;
    }

    /// <summary>What went wrong.</summary>
    public OpenSslError Error { get; }
}
