using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.Ocsp;

/// <summary>
/// The OCSP response of one certificate, in a file that somebody else renews: stapled, replaced when the file changes, not stapled any longer
/// when it expires. A bad new file leaves what was there. Any thread.
/// </summary>
internal sealed class OcspFile : IDisposable
{
    private const int MaxBytes = 64 * 1024;
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(30);

    private readonly string? _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IDisposable? _watch;
    private readonly ITimer _expiry;
    private readonly Lock _gate = new();        // one change at a time: of the file, of the certificate
    private ServerCertificate _certificate;

    /// <summary>Reads the file, and begins to watch it.</summary>
    /// <param name="path">DER; null: there is none, of which a certificate that needs one is told.</param>
    /// <param name="certificate">What the response must be about; stays the caller's.</param>
    /// <param name="files">Watches it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where warnings go.</param>
    /// <exception cref="BadInputException">The response cannot be stapled to the certificate, whatever the time.</exception>
    public OcspFile(string? path, ServerCertificate certificate, FileWatch files, TimeProvider time, ILogger<OcspFile> logger)
    {
        _path = path;
        _certificate = certificate;
        _time = time;
        _logger = logger;
        _expiry = time.CreateTimer(_ => TellState(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _watch = path is null ? null : files.Watch("OCSP responses", () => [path], Reload);
        try
        {
            Staple(certificate);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file; null when there is none.</summary>
    public string? Path => _path;

    /// <summary>The certificate was replaced: its successor gets the response, if that is about it already, and otherwise when the file changes.</summary>
    public void Attach(ServerCertificate certificate)
    {
        lock (_gate)
        {
            if (_certificate != certificate)
            {
                _certificate = certificate;
                Reload();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch?.Dispose();
        _expiry.Dispose();
    }

    private void Reload()
    {
        lock (_gate)
        {
            try
            {
                Staple(_certificate);
            }
            catch (BadInputException exception)
            {
                _logger.OcspResponseRefused(exception.Message);
                TellState();
            }
        }
    }

    private void Staple(ServerCertificate certificate)
    {
        if (_path is { } path)
        {
            OcspResponse response = Read(path, certificate);
            certificate.Tls.OcspResponse = response;
            string end = response.NextUpdate is { } next ? string.Create(CultureInfo.InvariantCulture, $"until {next.UtcDateTime:yyyy-MM-dd HH:mm}Z") : "without an end";
            _logger.OcspResponseLoaded(certificate.Subject, path, end);
            if (response.Status == OcspCertificateStatus.Revoked)
            {
                _logger.CertificateRevoked(certificate.Subject, path);
            }
        }

        TellState();
    }

    private static OcspResponse Read(string path, ServerCertificate certificate)
    {
        X509Certificate2[] chain = certificate.ReadChain();
        X509Certificate2 subject = chain[0];
        bool isSelfSigned = subject.SubjectName.RawData.AsSpan().SequenceEqual(subject.IssuerName.RawData);
        X509Certificate2? issuer = chain.Length > 1 ? chain[1] : isSelfSigned ? subject : null;
        try
        {
            return OcspResponse.Parse(FileContent.Read(path, "OCSP file", MaxBytes), subject, issuer);
        }
        catch (OpenSslException exception)
        {
            throw new BadInputException($"OCSP file '{path}' cannot be stapled to the certificate in '{certificate.File}': {exception.Message}", exception);
        }
        finally
        {
            Array.ForEach(chain, static one => one.Dispose());
        }
    }

    /// <summary>Says when the response has expired, or is missed; comes back when it expires.</summary>
    private void TellState()
    {
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            OcspResponse? response = _certificate.Tls.OcspResponse;
            if (response?.IsExpired(now) == true)
            {
                _logger.OcspResponseExpired(_certificate.Subject, _path!, response.NextUpdate!.Value.UtcDateTime);
            }
            else if (response is not null)
            {
                TimeSpan rest = (response.NextUpdate ?? DateTimeOffset.MaxValue) - now;
                _expiry.Change(rest < LongestTimer ? rest : LongestTimer, Timeout.InfiniteTimeSpan);
            }

            if (response?.IsCurrent(now) != true && _certificate.MustStaple)
            {
                _logger.StapleMissing(_certificate.Subject, _certificate.File);
            }
        }
    }
}
