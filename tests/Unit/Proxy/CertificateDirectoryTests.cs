using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class CertificateDirectoryTests : IDisposable
{
    private readonly PemFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pairs_and_single_files_are_listed_in_the_order_of_their_names()
    {
        Touch("b.pem", "b.key", "a.crt", "a.key", "c.pem", "d.crt", "d.pem", "d.key", "readme.txt", "old.pem.bak", ".hidden.pem");
        Assert.Equal(
            ["many/a: a.crt a.key Pair", "many/b: b.pem b.key Pair", "many/c: c.pem c.pem Candidate", "many/d: d.crt d.key Pair"], List());
    }

    [Fact]
    public void Mounted_secrets_of_Kubernetes_are_listed_once_each()
    {
        Touch("..2026_01_01/tls.crt", "..2026_01_01/tls.key", "..2026_01_01/ca.crt", "shop/tls.crt", "shop/tls.key", "shop/ca.crt");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Root, "..data"), "..2026_01_01");
        foreach (string name in new[] { "tls.crt", "tls.key", "ca.crt" })
        {
            File.CreateSymbolicLink(Path.Combine(_folder.Root, name), $"..data/{name}");
        }

        Assert.Equal(["many/shop/tls: shop/tls.crt shop/tls.key Pair", "many/tls: tls.crt tls.key Pair"], List());
    }

    [Fact]
    public void Directories_of_certbot_are_listed_also_through_links()
    {
        Touch("archive/.x/cert1.pem", "real/cert.pem", "real/chain.pem", "real/fullchain.pem", "real/privkey.pem", "real/README");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Root, "linked"), "real");
        Assert.Equal(
            ["many/linked/fullchain: linked/fullchain.pem linked/privkey.pem Pair", "many/real/fullchain: real/fullchain.pem real/privkey.pem Pair"], List());
    }

    [Fact]
    public void Certificate_whose_key_is_missing_is_a_candidate_and_keeps_its_name()
    {
        Touch("shop/tls.crt");
        Assert.Equal(["many/shop/tls: shop/tls.crt shop/tls.crt Candidate"], List());
    }

    [Fact]
    public void Broken_links_and_deeper_directories_are_passed_over()
    {
        Touch("a/b/x.pem", "a/b/x.key");
        File.CreateSymbolicLink(Path.Combine(_folder.Root, "gone"), "nowhere");
        Assert.Empty(List());
    }

    [Fact]
    public void Missing_directory_is_refused()
    {
        BadInputException refusal = Assert.Throws<BadInputException>(
            () => CertificateDirectory.List("many", new CertificateOptions { Directory = "/nowhere" }, OffloadPath.Device, OffloadFallback.Software, out _));
        Assert.Equal("Certificate directory '/nowhere' does not exist.", refusal.Message);
    }

    private void Touch(params string[] names)
    {
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder.Root, name))!);
            _folder.Write(name);
        }
    }

    private string[] List() =>
    [
        .. CertificateDirectory.List("many", new CertificateOptions { Directory = _folder.Root }, OffloadPath.Device, OffloadFallback.Software, out _).Select(one =>
            $"{one.Name}: {Path.GetRelativePath(_folder.Root, one.File)} {Path.GetRelativePath(_folder.Root, one.KeyFile)} {one.Kind}"),
    ];
}
