using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.ClientCertificates;

public sealed class ClientTrustTests : IDisposable
{
    private readonly PemFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly FileWatch _files;
    private readonly RecordedLog<ClientTrust> _log = new();
    private readonly TestAuthority _root = TestAuthority.Root("Clients");

    public ClientTrustTests() => _files = new FileWatch(TimeSpan.FromSeconds(2), _time, NullLogger<FileWatch>.Instance);

    public void Dispose()
    {
        _files.Dispose();
        _folder.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void Changed_files_are_taken_together_and_told_once()
    {
        using ClientTrust trust = Load(_root.Pem, _root.RevocationListPem(Day(1)));
        int changes = 0;
        trust.Changed += () => changes++;
        TlsClientVerification before = trust.Current;
        using TestAuthority other = TestAuthority.Root("Other");
        _folder.Write("ca.pem", other.Pem);
        _folder.Write("crl.pem", other.RevocationListPem(Day(1)));
        _files.LookNow();
        Assert.NotSame(before, trust.Current);
        Assert.Equal(1, changes);
        Assert.Equal([$"Information: Clients are verified with the changed CA file {Path("ca.pem")} and CRL file {Path("crl.pem")}"], _log.Take());
    }

    [Fact]
    public void Bad_file_leaves_what_was_in_force()
    {
        using ClientTrust trust = Load(_root.Pem, _root.RevocationListPem(Day(1)));
        TlsClientVerification before = trust.Current;
        using TestAuthority impostor = TestAuthority.Root("Clients");
        foreach ((string bad, string problem) in new[]
        {
            ("nothing", $"CRL file '{Path("crl.pem")}' has no revocation list; it must have a block -----BEGIN X509 CRL-----, or be one in DER."),
            (impostor.RevocationListPem(Day(1)), $"CA file '{Path("ca.pem")}' and CRL file '{Path("crl.pem")}' cannot be used: The revocation list of CN=Clients is not signed by the authority of that name."),
        })
        {
            _folder.Write("crl.pem", bad);
            _files.LookNow();
            Assert.Same(before, trust.Current);
            Assert.Equal([$"Warning: Changed files for client certificates not taken, the old ones stay in force: {problem}"], _log.Take());
        }
    }

    [Fact]
    public void Revocation_list_is_told_once_when_it_expires()
    {
        using ClientTrust trust = Load(_root.Pem, _root.RevocationListPem(Day(1)));
        Assert.Empty(_log.Take());
        _time.Advance(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1));
        Assert.Empty(_log.Take());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(
            [$"Warning: Revocation list of CN=Clients in {Path("crl.pem")} expired on 2026-01-02 00:00Z: every client with a certificate of that authority is refused until a new one is there"],
            _log.Take());
        _time.Advance(TimeSpan.FromDays(40));
        Assert.Empty(_log.Take());
    }

    [Fact]
    public void Authority_without_a_list_and_one_that_has_expired_are_told()
    {
        _time.Advance(TimeSpan.FromDays(3653));
        using TestAuthority other = TestAuthority.Root("Other");
        using ClientTrust trust = Load(_root.Pem + other.Pem, _root.RevocationListPem(DateTimeOffset.UtcNow.AddYears(20)));
        string[] lines = _log.Take();
        Assert.Equal($"Warning: Authority CN=Other has no revocation list in {Path("crl.pem")}: every client with a certificate of it is refused", lines[0]);
        Assert.StartsWith($"Warning: Authority CN=Clients in {Path("ca.pem")} expired on ", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "CA file 'PATH' does not exist.")]
    [InlineData("hello\n", "CA file 'PATH' has no certificate; it must have a block -----BEGIN CERTIFICATE-----.")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "CA file 'PATH' has a damaged certificate, number 1 in the file.")]
    public void Bad_authorities_are_refused_with_one_sentence(string? content, string sentence)
    {
        if (content is not null)
        {
            _folder.Write("ca.pem", content);
        }

        BadInputException refusal = Assert.Throws<BadInputException>(() => Create(withLists: false));
        Assert.Equal(sentence.Replace("PATH", Path("ca.pem"), StringComparison.Ordinal), refusal.Message);
    }

    [Theory]
    [InlineData("-----BEGIN X509 CRL-----\nMAAA\n-----END X509 CRL-----\n")]
    [InlineData("0binary")]
    public void Damaged_list_is_refused_with_one_sentence(string content)
    {
        _folder.Write("ca.pem", _root.Pem);
        _folder.Write("crl.pem", content);
        BadInputException refusal = Assert.Throws<BadInputException>(() => Create(withLists: true));
        Assert.Equal($"CRL file '{Path("crl.pem")}' has a damaged revocation list, number 1 in the file.", refusal.Message);
    }

    [Fact]
    public void List_may_be_in_DER()
    {
        _folder.Write("ca.pem", _root.Pem);
        File.WriteAllBytes(Path("crl.pem"), _root.RevocationList(Day(1)));
        using ClientTrust trust = Create(withLists: true);
        Assert.Empty(trust.Current.UncoveredAuthorities);
    }

    private ClientTrust Load(string authorities, string lists)
    {
        _folder.Write("ca.pem", authorities);
        _folder.Write("crl.pem", lists);
        return Create(withLists: true);
    }

    private ClientTrust Create(bool withLists) => new(
        new ClientCertificateOptions { Mode = ClientCertificateMode.Required, CaFile = Path("ca.pem"), CrlFile = withLists ? Path("crl.pem") : null },
        _files,
        _time,
        _log);

    private DateTimeOffset Day(int days) => _time.GetUtcNow().AddDays(days);

    private string Path(string name) => System.IO.Path.Combine(_folder.Root, name);
}
