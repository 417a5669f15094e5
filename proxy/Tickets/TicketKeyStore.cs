using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.Tickets;

/// <summary>The ticket keys of all listeners. It owns them, and outlives the TLS contexts that use them. One thread.</summary>
internal sealed class TicketKeyStore(FileWatch files, TimeProvider time, ILogger<TicketKeyStore> logger) : IDisposable
{
    private readonly Dictionary<string, TicketKeyFiles> _files = [];
    private OwnTicketKeys? _own;

    /// <summary>The keys of a listener: the same for all with the same files, and for all without. Null when it resumes no sessions.</summary>
    /// <exception cref="BadInputException">Its files cannot be used.</exception>
    public TlsTicketKeyRing? Find(TicketOptions options)
    {
        if (!options.Enabled)
        {
            return null;
        }

        if (options.Directory is null && options.Keys.Count == 0)
        {
            return (_own ??= new OwnTicketKeys(time)).Ring;
        }

        // No path has a zero in it.
        string source = options.Directory ?? string.Join('\0', options.Keys.Prepend(""));
        if (!_files.TryGetValue(source, out TicketKeyFiles? keys))
        {
            _files[source] = keys = new TicketKeyFiles(options, files, logger);
        }

        return keys.Ring;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TicketKeyFiles keys in _files.Values)
        {
            keys.Dispose();
        }

        _own?.Dispose();
    }
}
