using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.Tickets;

/// <summary>The ticket keys of files, read again when those change. Files that cannot be used change nothing.</summary>
internal sealed class TicketKeyFiles : IDisposable
{
    private readonly TicketOptions _options;
    private readonly ILogger _logger;
    private readonly IDisposable _watch;

    /// <summary>Reads them.</summary>
    /// <exception cref="BadInputException">They cannot be used.</exception>
    public TicketKeyFiles(TicketOptions options, FileWatch files, ILogger logger)
    {
        _options = options;
        _logger = logger;

        // Watched before they are read, so that no change is missed.
        _watch = files.Watch("ticket keys", Paths, Reload);
        try
        {
            Ring = new TlsTicketKeyRing(Load());
        }
        catch
        {
            _watch.Dispose();
            throw;
        }

        _logger.TicketKeysRead(Ring.Keys.Count, Source, Ring.Keys.EncryptingName);
    }

    /// <summary>The keys in force.</summary>
    public TlsTicketKeyRing Ring { get; }

    /// <summary>Reads them again, and replaces those in force if they are others. One thread at a time.</summary>
    public void Reload()
    {
        TlsTicketKeys keys;
        try
        {
            keys = Load();
        }
        catch (BadInputException refusal)
        {
            _logger.TicketKeysRefused(refusal.Message);
            return;
        }

        if (keys.IsSameAs(Ring.Keys))
        {
            keys.Dispose();
            return;
        }

        Ring.Replace(keys);
        _logger.TicketKeysRead(keys.Count, Source, keys.EncryptingName);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch.Dispose();
        Ring.Dispose();
    }

    private string Source => _options.Directory ?? string.Join(", ", _options.Keys);

    private List<string> Paths()
    {
        if (_options.Directory is not { } directory)
        {
            return [.. _options.Keys];
        }

        try
        {
            return [directory, .. List(directory)];
        }
        catch (BadInputException)
        {
            // Told when it is read.
            return [directory];
        }
    }

    private TlsTicketKeys Load()
    {
        using var reader = new TicketKeyReader();
        foreach (string path in _options.Directory is { } directory ? List(directory) : _options.Keys)
        {
            reader.Read(path);
        }

        return reader.Count > 0
            ? reader.CreateSet()
            : throw new BadInputException($"Ticket key directory '{_options.Directory}' has no file; it must have 1 to {TlsTicketKeys.MaxCount} keys.");
    }

    /// <summary>
    /// The files of a directory in the order of their names. Links are followed; what is hidden is passed over, as Kubernetes hides the directories that its links
    /// point into.
    /// </summary>
    private static List<string> List(string directory)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFileSystemEntries(directory)
                    .Where(static path => !Path.GetFileName(path).StartsWith('.') && !Directory.Exists(path))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (DirectoryNotFoundException exception)
        {
            throw new BadInputException($"Ticket key directory '{directory}' {(File.Exists(directory) ? "is a file" : "does not exist")}.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = exception is UnauthorizedAccessException ? "permission denied" : exception.Message.TrimEnd('.');
            throw new BadInputException($"Ticket key directory '{directory}' cannot be read: {reason}.", exception);
        }
    }
}
