using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

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

    [UnmanagedCallersOnly]
    private static int Read(nint bio, byte* buffer, nuint length, nuint* count)
    {
        *count = (nuint)(TlsServerConnection.Stepping?.Take(new Span<byte>(buffer, (int)Math.Min(length, int.MaxValue))) ?? 0);
        return *count > 0 ? 1 : 0;
    }

    [UnmanagedCallersOnly]
    private static int Write(nint bio, byte* bytes, nuint length, nuint* count)
    {
        bool isTaken = length <= int.MaxValue && TlsServerConnection.Stepping is { } step && step.TrySend(new ReadOnlySpan<byte>(bytes, (int)length));
        *count = isTaken ? length : 0;
        return isTaken ? 1 : 0;
    }

    [UnmanagedCallersOnly]
    private static nint Control(nint bio, int command, nint number, void* pointer) => command == Libcrypto.BIO_CTRL_FLUSH ? 1 : 0;
}
