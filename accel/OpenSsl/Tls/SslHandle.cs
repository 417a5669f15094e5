using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>An SSL, or none; one after the other in the same handle, so that a connection slot allocates nothing managed.</summary>
internal sealed class SslHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    /// <summary>Frees what it holds, keys included, and takes ownership of another SSL, or of none (0).</summary>
    public void Replace(nint ssl)
    {
        nint old = handle;
        SetHandle(ssl);
        Libssl.SSL_free(old);
    }

    protected override bool ReleaseHandle()
    {
        Libssl.SSL_free(handle);
        return true;
    }
}
