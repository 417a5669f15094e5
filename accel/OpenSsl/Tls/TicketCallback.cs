using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>Resumption of a server context: how sessions are bound and kept, and what libssl asks for each ticket.</summary>
internal static unsafe class TicketCallback
{
    private const int Failed = -1;
    private const int KeyUnknown = 0;
    private const int Done = 1;
    private const int DoneAndRenew = 2;

    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);        // RFC 8446 4.6.1

    /// <summary>Sets what sessions of the context are, before the first connection.</summary>
    /// <exception cref="OpenSslException">No memory.</exception>
    public static void SetResumption(SslContextHandle context, TlsServerOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TicketLifetime, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.TicketLifetime, MaxLifetime);

        // No session is kept here, with and without tickets. Early data might be sent again by anybody (RFC 8446 8).
        Libssl.SetSessionCacheOff(context);
        SslContextHandle.Require(Libssl.SSL_CTX_set_max_early_data(context, 0) == 1, "OpenSSL refused to take no early data");

        // As long as a name may be: SSL_MAX_SID_CTX_LENGTH.
        byte[] id = SHA256.HashData(Encoding.UTF8.GetBytes(options.SessionContext));
        fixed (byte* bytes = id)
        {
            SslContextHandle.Require(
                Libssl.SSL_CTX_set_session_id_context(context, bytes, (uint)id.Length) == 1, "OpenSSL refused the name of the sessions");
        }

        if (options.TicketKeys is null)
        {
            _ = Libssl.SSL_CTX_set_options(context, Libssl.SSL_OP_NO_TICKET);
            SslContextHandle.Require(Libssl.SSL_CTX_set_num_tickets(context, 0) == 1, "OpenSSL refused to make no tickets");
            return;
        }

        _ = Libssl.SSL_CTX_set_timeout(context, (nint)options.TicketLifetime.TotalSeconds);
        SslContextHandle.Require(Libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &SetUp) == 1, "OpenSSL refused the keys of tickets");
    }

    /// <summary>Sets up the contexts for one ticket; libssl has checked the lengths. See <see cref="Libssl.SSL_CTX_set_tlsext_ticket_key_evp_cb"/>.</summary>
    [UnmanagedCallersOnly]
    private static int SetUp(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int forEncryption)
    {
        try
        {
            return TlsServerConnection.Stepping is { } connection && connection.Context.TicketKeys?.TryHold() is { } keys
                ? SetUp(connection, keys, name, iv, cipher, mac, forEncryption != 0)
                : Failed;
        }
        catch (Exception exception)
        {
            // None may cross libssl.
            ProviderFailure.Raise(exception);
            return Failed;
        }
    }

    private static int SetUp(TlsServerConnection connection, TlsTicketKeys keys, byte* name, byte* iv, nint cipher, nint mac, bool isEncryption)
    {
        try
        {
            if (isEncryption)
            {
                return keys.TryEncrypt(name, iv, cipher, mac) ? Done : Failed;
            }

            bool isSetUp = keys.TryDecrypt(name, iv, cipher, mac, out TlsTicketKeyUse use);
            connection.TicketKeyUse = use;
            return !isSetUp ? Failed
                : use == TlsTicketKeyUse.Unknown ? KeyUnknown

                // In TLS 1.3 clients show a ticket once (RFC 8446 C.4), so that they need another each time.
                : use == TlsTicketKeyUse.Old || connection.Version == TlsVersion.Tls13 ? DoneAndRenew
                : Done;
        }
        finally
        {
            keys.Release();
        }
    }
}
