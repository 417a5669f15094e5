using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Listeners;

namespace WarpProxy.Tickets;

/// <summary>
/// Names that bind a session to where it began: listeners share ticket keys, but a session that one of them accepted must not pass another with
/// stricter rules, nor a site with other certificates. Proxies with the same configuration have the same names.
/// </summary>
internal static class SessionContext
{
    /// <summary>For the sessions of a listener with one of its sets of certificates.</summary>
    /// <remarks>The certificates count by their files, not by what is in them: a renewed certificate leaves sessions be.</remarks>
    public static string Of(Listener listener, CertificateSet certificates)
    {
        ClientCertificateOptions? clients = listener.Options.ClientCertificates;
        string rules = clients is { IsOn: true } ? $"{clients.Mode} {clients.Depth} {clients.CaFile}" : "";
        return string.Join('\0', certificates.Certificates.Select(static certificate => certificate.File).Order(StringComparer.Ordinal).Prepend(rules).Prepend(listener.Name));
    }
}
