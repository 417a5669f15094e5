using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Certificates;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class DevelopmentCertificateTests : IDisposable
{
    private readonly PemFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly Accelerator _accelerator = new(new OffloadOptions { Devices = ["none"] }, TimeProvider.System, NullLoggerFactory.Instance);

    private string Place => Path.Combine(_folder.Root, "warpproxy");

    private string KeyFile => Path.Combine(Place, "localhost-key.pem");

    public void Dispose()
    {
        _accelerator.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void It_is_made_once_and_kept()
    {
        (string first, bool firstIsNew) = Load();
        (string second, bool secondIsNew) = Load();
        Assert.Equal((first, true, false), (second, firstIsNew, secondIsNew));
    }

    [Fact]
    public void It_is_for_localhost_and_no_authority()
    {
        Load();
        using var certificate = X509Certificate2.CreateFromPemFile(Path.Combine(Place, "localhost.pem"), KeyFile);
        Assert.True(certificate.MatchesHostname("localhost"));
        Assert.True(certificate.MatchesHostname("127.0.0.1"));
        Assert.True(certificate.MatchesHostname("::1"));
        Assert.False(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        Assert.Equal(_time.GetUtcNow().AddYears(1), new DateTimeOffset(certificate.NotAfter));
    }

    [Fact]
    public void Only_its_owner_can_read_it()
    {
        Load();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Place));
        Assert.Equal(2, Directory.GetFiles(Place).Length);
    }

    [Theory]
    [InlineData(365 - 15, false)]
    [InlineData(365 - 13, true)]
    public void It_is_renewed_in_its_last_two_weeks(int days, bool renewed)
    {
        (string first, _) = Load();
        _time.Advance(TimeSpan.FromDays(days));
        Assert.Equal(renewed, first != Load().Thumbprint);
    }

    [Fact]
    public void Damaged_file_is_replaced()
    {
        (string first, _) = Load();
        File.WriteAllText(KeyFile, File.ReadAllText(KeyFile)[..1500]);
        (string second, bool isNew) = Load();
        Assert.True(isNew);
        Assert.NotEqual(first, second);
    }

    private (string Thumbprint, bool IsNew) Load()
    {
        var development = new DevelopmentCertificate(Place, _time, NullLogger<DevelopmentCertificate>.Instance);
        using ServerCertificate certificate = development.Load(_accelerator);
        return (Convert.ToHexString(certificate.Tls.Chain[0].Span), development.IsNew);
    }
}
