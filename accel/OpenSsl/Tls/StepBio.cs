using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// The BIO of server connections: libssl reads the bytes that the step under way was given, and writes to where the step sends. It holds
/// no bytes and no state of its own, so that nothing is copied twice and an idle connection has no buffer here.
/// </summary>
internal static unsafe class StepBio
{
    private static readonly nint Method = CreateMethod();

    /// <summary>A new BIO; 0 without memory. The caller frees it, or gives it to an SSL.</summary>
    public static nint Create()
    {
        nint bio = Libcrypto.BIO_new(Method);
        if (bio != 0)
        {
            // A read that fails always means that the peer has to send more, so the flags that say it are set once.
            Libcrypto.BIO_set_flags(bio, Libcrypto.BIO_FLAGS_READ | Libcrypto.BIO_FLAGS_SHOULD_RETRY);
        }

        return bio;
    }

    private static nint CreateMethod()
    {
        // The name is kept by the method, which lives as long as the process.
        nint method = Libcrypto.BIO_meth_new(
            Libcrypto.BIO_get_new_index() | Libcrypto.BIO_TYPE_SOURCE_SINK, (byte*)Marshal.StringToCoTaskMemUTF8("warp step"));
        bool isMade = method != 0
            && Libcrypto.BIO_meth_set_read_ex(method, &Read) == 1
            && Libcrypto.BIO_meth_set_write_ex(method, &Write) == 1
            && Libcrypto.BIO_meth_set_ctrl(method, &Control) == 1;
        SslContextHandle.Require(isMade, "OpenSSL made no kind of BIO");
        return method;
    }

    // The memory and the writer are the caller's, and may throw what they like: a pipe that was completed, no memory. No exception may cross
    // libssl, which would end the process; the step fails instead.
    [UnmanagedCallersOnly]
    private static int Read(nint bio, byte* buffer, nuint length, nuint* count)
    {
        *count = 0;
        try
        {
            *count = (nuint)(TlsServerConnection.Stepping?.Take(new Span<byte>(buffer, (int)Math.Min(length, int.MaxValue))) ?? 0);
            return *count > 0 ? 1 : 0;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static int Write(nint bio, byte* bytes, nuint length, nuint* count)
    {
        *count = 0;
        try
        {
            if (length > int.MaxValue || TlsServerConnection.Stepping is not { } step)
            {
                return 0;
            }

            step.Send(new ReadOnlySpan<byte>(bytes, (int)length));
            *count = length;
            return 1;
        }
        catch (Exception exception)
        {
            return ProviderFailure.Raise(exception);
        }
    }

    [UnmanagedCallersOnly]
    private static nint Control(nint bio, int command, nint number, void* pointer) => command == Libcrypto.BIO_CTRL_FLUSH ? 1 : 0;
}
