using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.Tickets;

/// <summary>The ticket keys of all listeners. It owns them: those of files until the last listener with these files is gone, the process's own until the end. Any thread.</summary>
internal sealed class TicketKeyStore(FileWatch files, TimeProvider time, ILogger<TicketKeyStore> logger) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (TicketKeyFiles Keys, int Users)> _files = [];     // under _gate
    private OwnTicketKeys? _own;

    /// <summary>How many sets of files there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _files.Count;
            }
        }
    }

    /// <summary>
    /// The keys of a listener, until <see cref="Release"/>: the same for all with the same files, and for all without. Null when it resumes no sessions.
    /// Configurations are made one after the other, and so are these calls.
    /// </summary>
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

        string source = SourceOf(options);
        lock (_gate)
        {
            if (_files.TryGetValue(source, out (TicketKeyFiles Keys, int Users) known))
            {
                _files[source] = known with { Users = known.Users + 1 };
                return known.Keys.Ring;
            }
        }

        // Not under the gate: it takes that of the files.
        var keys = new TicketKeyFiles(options, files, logger);
        lock (_gate)
        {
            _files.Add(source, (keys, 1));
        }

        return keys.Ring;
    }

    /// <summary>Once for each <see cref="Find"/>: no listener with these options is there any more.</summary>
    public void Release(TicketOptions options)
    {
        TicketKeyFiles keys;
        lock (_gate)
        {
            string source = SourceOf(options);
            if (!options.Enabled || !_files.TryGetValue(source, out (TicketKeyFiles Keys, int Users) known))
            {
                return;
            }

            if (known.Users > 1)
            {
                _files[source] = known with { Users = known.Users - 1 };
                return;
            }

            keys = known.Keys;
            _files.Remove(source);
        }

        keys.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        List<TicketKeyFiles> all;
        lock (_gate)
        {
            // A listener that goes at this moment finds nothing to release.
            all = [.. _files.Values.Select(static one => one.Keys)];
            _files.Clear();
        }

        all.ForEach(static keys => keys.Dispose());

        _own?.Dispose();
    }

    // No path has a zero in it.
    private static string SourceOf(TicketOptions options) => options.Directory ?? string.Join('\0', options.Keys.Prepend(""));
}
