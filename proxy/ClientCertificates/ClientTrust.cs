using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.ClientCertificates;

/// <summary>
/// Which clients are trusted, as the files of one section say: read at start, and again when they change. All of it changes at once, and a bad
/// new file leaves what was in force. Any thread.
/// </summary>
internal sealed class ClientTrust : IDisposable
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(30);

    private readonly ClientCertificateOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable _watch;
    private readonly ITimer _expiry;
    private readonly Lock _gate = new();        // for the two below: files change on one thread, time passes on another
    private IReadOnlyList<CertificateRevocationList> _lists = [];
    private IReadOnlyList<CertificateRevocationList> _told = [];      // of them, those of which it was said that they have expired

    // Volatile: who makes a context on another thread sees it with all that is in it.
    private volatile TlsClientVerification _current;

    /// <summary>Reads the files, and begins to watch them.</summary>
    /// <exception cref="BadInputException">They cannot be used.</exception>
    public ClientTrust(ClientCertificateOptions options, FileWatch files, TimeProvider time, ILogger<ClientTrust> logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _expiry = time.CreateTimer(_ => TellExpired(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        string[] paths = options.CrlFile is { } lists ? [options.CaFile!, lists] : [options.CaFile!];
        _watch = files.Watch("client certificates", () => paths, Reload);
        try
        {
            _current = Load();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Called after <see cref="Current"/> has changed, on the thread that watches files.</summary>
    public event Action? Changed;

    /// <summary>
    /// What is trusted now. Another one each time that the files change; the one before is freed when nothing uses it any longer, since
    /// a context may be made with it at that moment.
    /// </summary>
    public TlsClientVerification Current => _current;

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch.Dispose();
        _expiry.Dispose();
        _current?.Dispose();
    }

    private void Reload()
    {
        try
        {
            _current = Load();
        }
        catch (BadInputException exception)
        {
            _logger.ClientTrustKept(exception.Message);
            return;
        }

        Changed?.Invoke();
        _logger.ClientTrustLoaded(_options.CaFile!, _options.CrlFile ?? "no file");
    }

    private TlsClientVerification Load()
    {
        IReadOnlyList<X509Certificate2> authorities = TrustFile.ReadAuthorities(_options.CaFile!);
        try
        {
            IReadOnlyList<CertificateRevocationList> lists = _options.CrlFile is { } file ? TrustFile.ReadRevocationLists(file) : [];
            var verification = new TlsClientVerification(new TlsClientVerificationOptions
            {
                Authorities = authorities,
                Depth = _options.Depth,
                IsRequired = _options.Mode == ClientCertificateMode.Required,
                RevocationLists = lists,
            });
            foreach (string uncovered in verification.UncoveredAuthorities)
            {
                _logger.AuthorityWithoutRevocationList(uncovered, _options.CrlFile!);
            }

            foreach (X509Certificate2 authority in authorities.Where(authority => authority.NotAfter <= _time.GetUtcNow().LocalDateTime))
            {
                _logger.AuthorityExpired(authority.Subject, _options.CaFile!, authority.NotAfter.ToUniversalTime());
            }

            lock (_gate)
            {
                _lists = lists;
                _told = [];
                TellExpired();
            }

            return verification;
        }
        catch (OpenSslException exception)
        {
            string files = _options.CrlFile is { } list ? $"CA file '{_options.CaFile}' and CRL file '{list}'" : $"CA file '{_options.CaFile}'";
            throw new BadInputException($"{files} cannot be used: {exception.Message}", exception);
        }
        finally
        {
            foreach (X509Certificate2 authority in authorities)
            {
                authority.Dispose();
            }
        }
    }

    /// <summary>Says once of each list that it has expired, when it does.</summary>
    private void TellExpired()
    {
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            CertificateRevocationList[] expired = [.. _lists.Where(list => list.NextUpdate <= now)];
            foreach (CertificateRevocationList list in expired.Except(_told))
            {
                _logger.RevocationListExpired(list.Issuer, _options.CrlFile!, list.NextUpdate!.Value.UtcDateTime);
            }

            _told = expired;
            if (_lists.Where(list => list.NextUpdate > now).Min(static list => list.NextUpdate) is { } next)
            {
                TimeSpan rest = next - now;
                _expiry.Change(rest < LongestTimer ? rest : LongestTimer, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
