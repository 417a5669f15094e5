using System.Diagnostics;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>Loading certificates, and loading them again.</summary>
public sealed class CertificateStoreTests : IDisposable
{
    private static readonly string[] Localhost = ["localhost"];

    private readonly PemFolder _folder = new();
    private readonly LogLines _log = new();
    private readonly Accelerator _accelerator;
    private readonly FileWatch _files;
    private int _changes;

    public CertificateStoreTests()
    {
        _accelerator = new Accelerator(new OffloadOptions { Devices = ["none"] }, TimeProvider.System, _log);
        _files = new FileWatch(TimeSpan.FromHours(1), new ManualTime(), _log.Of<FileWatch>());
    }

    public void Dispose()
    {
        _files.Dispose();
        _accelerator.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Renewed_pair_comes_into_use_and_the_old_one_is_given_up()
    {
        byte[] first = _folder.WritePair("a", Localhost);
        using CertificateStore store = OpenPair("a");
        ServerCertificate old = store.Certificates.Single();
        byte[] second = _folder.WritePair("a", Localhost);
        _files.LookNow();
        Assert.Equal(1, _changes);
        Assert.Equal(second, Shown(store).Single());
        Assert.NotEqual(first, second);
        Assert.True(old.Tls.Key.IsClosed);
        Assert.Contains(_log.Take(), static line => line.StartsWith("Information: Certificates that were new or had changed: 1 of 1, ", StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_is_loaded_again_that_has_not_changed()
    {
        _folder.WritePair("a", Localhost);
        _folder.WritePair("b", ["b.example"]);
        using CertificateStore store = Open(("many", new CertificateOptions { Directory = _folder.Root }));
        ServerCertificate[] before = [.. store.Certificates];
        _folder.WritePair("b", ["b.example"]);
        _files.LookNow();
        _files.LookNow();
        Assert.Same(before[0], store.Certificates[0]);
        Assert.NotSame(before[1], store.Certificates[1]);
        Assert.Equal(1, _changes);
    }

    [Theory]
    [InlineData("mismatch", "does not belong to the certificate")]
    [InlineData("garbage", "has no certificate")]
    [InlineData("half", "has no certificate")]
    [InlineData("empty", "has no certificate")]
    [InlineData("gone", "does not exist")]
    [InlineData("no key", "has no private key")]
    public void Bad_pair_is_refused_with_a_sentence_while_the_old_one_serves(string what, string sentence)
    {
        byte[] good = _folder.WritePair("a", Localhost);
        using CertificateStore store = OpenPair("a");
        _log.Take();
        string file = Path.Combine(_folder.Root, "a.pem");
        switch (what)
        {
            case "mismatch":
                _folder.Write("a.key", PemFolder.Make(Localhost).Key);
                break;
            case "garbage":
                _folder.Write("a.pem", "garbage");
                break;
            case "half":
                File.WriteAllText(file, File.ReadAllText(file)[..200]);
                break;
            case "empty":
                File.WriteAllText(file, "");
                break;
            case "gone":
                File.Delete(file);
                break;
            default:
                _folder.Write("a.key", File.ReadAllText(file));
                break;
        }

        _files.LookNow();
        _files.LookNow();
        Assert.Equal(good, Shown(store).Single());
        Assert.Contains(sentence, store.Entries.Single().Refusal);
        string line = Assert.Single(_log.Take());
        Assert.StartsWith("Error: Certificate a refused, an earlier one stays in use: ", line);
        Assert.Contains(sentence, line);

        byte[] repaired = _folder.WritePair("a", Localhost);
        _files.LookNow();
        Assert.Equal(repaired, Shown(store).Single());
        Assert.Null(store.Entries.Single().Refusal);
    }

    [Fact]
    public void Files_that_are_put_back_as_they_were_serve_on()
    {
        byte[] good = _folder.WritePair("a", Localhost);
        using CertificateStore store = OpenPair("a");
        string file = Path.Combine(_folder.Root, "a.pem");
        string text = File.ReadAllText(file);
        File.Delete(file);
        _files.LookNow();
        File.WriteAllText(file, text);
        _files.LookNow();
        Assert.Equal(good, Shown(store).Single());
        Assert.Null(store.Entries.Single().Refusal);
    }

    [Fact]
    public void Files_come_to_a_directory_and_go()
    {
        byte[] a = _folder.WritePair("a", Localhost);
        using CertificateStore store = Open(("many", new CertificateOptions { Directory = _folder.Root }));
        byte[] b = _folder.WritePair("b", ["b.example"]);
        _folder.Write("readme.txt", "hello");
        _files.LookNow();
        Assert.Equal([a, b], Shown(store));
        ServerCertificate gone = store.Certificates[0];
        File.Delete(Path.Combine(_folder.Root, "a.pem"));
        File.Delete(Path.Combine(_folder.Root, "a.key"));
        _files.LookNow();
        Assert.Equal([b], Shown(store));
        Assert.True(gone.Tls.Key.IsClosed);
        Assert.Equal(2, _changes);
    }

    [Fact]
    public void Only_the_bad_one_of_a_directory_keeps_its_old_state()
    {
        byte[] a = _folder.WritePair("a", Localhost);
        _folder.WritePair("b", ["b.example"]);
        using CertificateStore store = Open(("many", new CertificateOptions { Directory = _folder.Root }));
        _folder.Write("a.key", "garbage");
        byte[] b = _folder.WritePair("b", ["b.example"]);
        _folder.Write("c.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----");
        _files.LookNow();
        Assert.Equal([a, b], Shown(store));
        Assert.Equal(["many/a", "many/c"], store.Entries.Where(static one => one.Refusal is not null).Select(static one => one.Files.Name));
    }

    [Fact]
    public void Single_file_that_loses_its_key_is_refused_and_one_that_never_had_one_is_passed_over()
    {
        (string certificate, string key, byte[] der) = PemFolder.Make(Localhost);
        _folder.Write("a.pem", certificate, key);
        _folder.Write("ca.pem", PemFolder.Make(["ca"]).Certificate);
        using CertificateStore store = Open(("many", new CertificateOptions { Directory = _folder.Root }));
        Assert.Equal([der], Shown(store));
        Assert.All(store.Entries, static one => Assert.Null(one.Refusal));
        _folder.Write("a.pem", certificate);
        _files.LookNow();
        Assert.Equal([der], Shown(store));
        Assert.Equal($"Certificate file '{_folder.Root}/a.pem' has no certificate with its private key any more.", store.Entries[0].Refusal);
    }

    [Fact]
    public void Directory_that_is_emptied_or_taken_away_keeps_its_certificates()
    {
        string folder = Path.Combine(_folder.Root, "certs");
        Directory.CreateDirectory(folder);
        byte[] a = _folder.WritePair("certs/a", Localhost);
        using CertificateStore store = Open(("many", new CertificateOptions { Directory = folder }));
        _log.Take();
        File.Delete(Path.Combine(folder, "a.pem"));
        _files.LookNow();
        Assert.Equal([a], Shown(store));
        Assert.Equal([$"Error: Certificate many refused, an earlier one stays in use: Certificate directory '{folder}' has no certificate any more."], _log.Take());
        Directory.Delete(folder, recursive: true);
        _files.LookNow();
        Assert.Equal([a], Shown(store));
        Assert.Contains($"Error: Certificate many refused, an earlier one stays in use: Certificate directory '{folder}' does not exist.", _log.Take());
        Directory.CreateDirectory(folder);
        byte[] b = _folder.WritePair("certs/b", Localhost);
        _files.LookNow();
        Assert.Equal([b], Shown(store));
    }

    [Fact]
    public void Swap_of_a_link_replaces_certificate_and_key_at_once()
    {
        byte[] first = WriteSecret("..first");
        byte[] second = WriteSecret("..second");
        string data = Path.Combine(_folder.Root, "..data");
        Directory.CreateSymbolicLink(data, "..first");
        File.CreateSymbolicLink(Path.Combine(_folder.Root, "tls.crt"), "..data/tls.crt");
        File.CreateSymbolicLink(Path.Combine(_folder.Root, "tls.key"), "..data/tls.key");
        using CertificateStore store = Open(("many", new CertificateOptions { Directory = _folder.Root }));
        Assert.Equal([first], Shown(store));
        Directory.CreateSymbolicLink(data + "_tmp", "..second");
        Directory.Move(data + "_tmp", data + "_new");
        Directory.Delete(data);
        Directory.Move(data + "_new", data);
        _files.LookNow();
        Assert.Equal([second], Shown(store));
        Assert.Null(store.Entries.Single().Refusal);
    }

    [Fact]
    public void Expired_certificate_serves()
    {
        _folder.WritePair("a", Localhost);
        using CertificateStore store = OpenPair("a");
        byte[] expired = _folder.WritePair("a", Localhost, notAfter: DateTimeOffset.UtcNow.AddDays(-1));
        _files.LookNow();
        Assert.Equal([expired], Shown(store));
    }

    [Fact]
    public void Every_problem_at_start_is_told_at_once()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Root, "empty"));
        _folder.Write("a.pem", "garbage");
        BadInputException refusal = Assert.Throws<BadInputException>(() => Open(
            ("a", new CertificateOptions { File = Path.Combine(_folder.Root, "a.pem") }),
            ("b", new CertificateOptions { File = "/nowhere/b.pem" }),
            ("many", new CertificateOptions { Directory = Path.Combine(_folder.Root, "empty") })));
        Assert.Equal(
            [
                $"Certificate file '{_folder.Root}/a.pem' has no certificate; it must have a block -----BEGIN CERTIFICATE-----.",
                "Certificate file '/nowhere/b.pem' does not exist.",
                $"Certificates:many:Directory is '{_folder.Root}/empty', which has no certificate that can be used.",
            ],
            refusal.Message.Split(Environment.NewLine));
    }

    [Fact]
    public void Bad_file_in_a_directory_does_not_keep_the_proxy_from_starting()
    {
        byte[] a = _folder.WritePair("a", Localhost);
        _folder.WritePair("b", Localhost);
        _folder.Write("b.key", "garbage");
        using CertificateStore store = Open(("many", new CertificateOptions { Directory = _folder.Root }));
        Assert.Equal([a], Shown(store));
        Assert.Contains(_log.Take(), static line => line.StartsWith("Error: Certificate many/b refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Certificate_and_key_out_of_a_pipe_are_read_once()
    {
        (string certificate, string key, byte[] der) = PemFolder.Make(Localhost);
        string pipe = Path.Combine(_folder.Root, "pipe");
        using (Process made = Process.Start("/usr/bin/mkfifo", [pipe]))
        {
            await made.WaitForExitAsync();
        }

        Task writer = Task.Run(() =>
        {
            // Opening waits for the reader.
            using var stream = new FileStream(pipe, FileMode.Open, FileAccess.Write);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(certificate + "\n" + key));
        });
        using CertificateStore store = Open(("a", new CertificateOptions { File = pipe }));
        await writer;

        // A second reading would wait for a writer for ever.
        File.SetLastWriteTimeUtc(pipe, DateTime.UtcNow.AddMinutes(1));
        _files.LookNow();
        Assert.Equal([der], Shown(store));
    }

    [Fact]
    public void Intermediate_that_many_certificates_send_is_kept_once()
    {
        var pool = new IntermediatePool();
        byte[] first = pool.Share([1, 2, 3]);
        Assert.Same(first, pool.Share([1, 2, 3]));
        Assert.NotSame(first, pool.Share([1, 2, 4]));
    }

    private byte[] WriteSecret(string folder)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Root, folder));
        (string certificate, string key, byte[] der) = PemFolder.Make(Localhost);
        _folder.Write($"{folder}/tls.crt", certificate);
        _folder.Write($"{folder}/tls.key", key);
        return der;
    }

    private CertificateStore OpenPair(string name) =>
        Open((name, new CertificateOptions { File = Path.Combine(_folder.Root, name + ".pem"), KeyFile = Path.Combine(_folder.Root, name + ".key") }));

    private CertificateStore Open(params (string Name, CertificateOptions Options)[] configured)
    {
        var store = new CertificateStore(
            [.. configured.Select(static one => new KeyValuePair<string, CertificateOptions>(one.Name, one.Options))], _accelerator, _files, TimeProvider.System, _log);
        store.Changed += () => _changes++;
        return store;
    }

    private static IEnumerable<byte[]> Shown(CertificateStore store) => store.Certificates.Select(static certificate => certificate.Tls.Chain[0].ToArray());
}
