using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace WarpDrive.OpenSsl.Native;

/// <summary>An X509: one certificate as OpenSSL has it.</summary>
internal sealed unsafe class X509Handle : SafeHandle
{
    /// <summary>Reads the certificate anew; the given one may be disposed afterwards.</summary>
    /// <exception cref="OpenSslException">OpenSSL cannot read it.</exception>
    public X509Handle(X509Certificate2 certificate)
        : base(0, ownsHandle: true)
    {
        ReadOnlySpan<byte> der = certificate.RawDataMemory.Span;
        fixed (byte* bytes = der)
        {
            byte* next = bytes;
            SetHandle(Libcrypto.d2i_X509(null, &next, der.Length));
        }

        if (IsInvalid)
        {
            throw new OpenSslException(OpenSslError.Failed, $"OpenSSL cannot read the certificate of {certificate.Subject}: {Libcrypto.TakeErrors()}.");
        }
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>X509; for as long as this object is not disposed.</summary>
    public nint Pointer => handle;

    protected override bool ReleaseHandle()
    {
        Libcrypto.X509_free(handle);
        return true;
    }
}
