using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Tickets;

namespace WarpProxy.Tests.Unit.Tickets;

public sealed class TicketKeyFilesTests : IDisposable
{
    private readonly KeyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Keys_come_in_the_order_given()
    {
        using TicketKeyFiles files = Open(_folder.WriteKey("c", 1), _folder.WriteKey("a", 2), _folder.WriteKey("b", 3));
        AssertKeys(files, 1, 2, 3);
    }

    [Fact]
    public void Files_of_a_directory_come_in_the_order_of_their_names()
    {
        _folder.WriteKey("2026-02", 3);
        _folder.WriteKey("2026-01", 2);
        _folder.WriteKey("2025-12", 1);
        using TicketKeyFiles files = OpenDirectory();
        AssertKeys(files, 1, 2, 3);
    }

    [Fact]
    public void Hidden_entries_and_directories_are_passed_over()
    {
        _folder.WriteKey("key", 1);
        _folder.WriteText(".key.swp", "of an editor");
        Directory.CreateDirectory(Path.Combine(_folder.Root, "lost+found"));
        using TicketKeyFiles files = OpenDirectory();
        AssertKeys(files, 1);
    }

    [Fact]
    public void Secret_of_Kubernetes_is_read_and_its_swap_is_seen()
    {
        MakeRevision("..r1", 1, 2, 3);
        File.CreateSymbolicLink(Path.Combine(_folder.Root, "..data"), "..r1");
        for (int i = 0; i < 3; i++)
        {
            File.CreateSymbolicLink(Path.Combine(_folder.Root, $"key{i}"), $"..data/key{i}");
        }

        using TicketKeyFiles files = OpenDirectory();
        AssertKeys(files, 1, 2, 3);

        MakeRevision("..r2", 2, 3, 4);
        Directory.Delete(Path.Combine(_folder.Root, "..data"));
        File.CreateSymbolicLink(Path.Combine(_folder.Root, "..data"), "..r2");
        Directory.Delete(Path.Combine(_folder.Root, "..r1"), recursive: true);
        _folder.Watch.LookNow();
        AssertKeys(files, 2, 3, 4);
    }

    [Fact]
    public void File_that_is_added_to_the_directory_is_the_next_key()
    {
        _folder.WriteKey("1", 1);
        _folder.WriteKey("2", 2);
        using TicketKeyFiles files = OpenDirectory();
        Assert.Equal(TicketSite.Name(1), files.Ring.Keys.EncryptingName);
        _folder.WriteKey("3", 3);
        _folder.Watch.LookNow();
        Assert.Equal(TicketSite.Name(2), files.Ring.Keys.EncryptingName);
        File.Delete(Path.Combine(_folder.Root, "1"));
        _folder.Watch.LookNow();
        AssertKeys(files, 2, 3);
        Assert.Equal(
            [
                $"Information: Session tickets: 2 keys from {_folder.Root}; {TicketSite.Name(1)} encrypts",
                $"Information: Session tickets: 3 keys from {_folder.Root}; {TicketSite.Name(2)} encrypts",
                $"Information: Session tickets: 2 keys from {_folder.Root}; {TicketSite.Name(2)} encrypts",
            ],
            _folder.Said);
    }

    [Fact]
    public void Bad_file_leaves_the_keys_as_they_are_and_a_sentence_in_the_log()
    {
        string file = _folder.WriteKey("key", 1);
        using TicketKeyFiles files = Open(file);
        TlsTicketKeys before = files.Ring.Keys;
        _folder.Write("key", new byte[48]);
        _folder.Watch.LookNow();
        Assert.Same(before, files.Ring.Keys);
        Assert.Equal(
            $"Error: Ticket keys stay as they were: Ticket key file '{file}' has 48 bytes, a key for AES-128; it must have 80, for AES-256: openssl rand 80.", _folder.Said[^1]);
        File.Delete(file);
        _folder.Watch.LookNow();
        Assert.Same(before, files.Ring.Keys);
        Assert.Equal($"Error: Ticket keys stay as they were: Ticket key file '{file}' does not exist.", _folder.Said[^1]);
        _folder.WriteKey("key", 2);
        _folder.Watch.LookNow();
        AssertKeys(files, 2);
        Assert.Throws<ObjectDisposedException>(() => before.EncryptingName);
    }

    [Fact]
    public void Directory_that_becomes_empty_leaves_the_keys_as_they_are()
    {
        string file = _folder.WriteKey("key", 1);
        using TicketKeyFiles files = OpenDirectory();
        File.Delete(file);
        _folder.Watch.LookNow();
        AssertKeys(files, 1);
        Assert.Equal($"Error: Ticket keys stay as they were: Ticket key directory '{_folder.Root}' has no file; it must have 1 to 16 keys.", _folder.Said[^1]);
    }

    [Fact]
    public void Files_touched_but_the_same_replace_nothing()
    {
        using TicketKeyFiles files = Open(_folder.WriteKey("key", 1));
        TlsTicketKeys before = files.Ring.Keys;
        File.Delete(Path.Combine(_folder.Root, "key"));
        _folder.WriteKey("key", 1);
        _folder.Watch.LookNow();
        Assert.Same(before, files.Ring.Keys);
        Assert.Single(_folder.Said);
    }

    [Fact]
    public void Directory_that_cannot_be_used_is_refused()
    {
        Assert.Equal($"Ticket key directory '{_folder.Root}' has no file; it must have 1 to 16 keys.", Assert.Throws<BadInputException>(OpenDirectory).Message);
        string missing = Path.Combine(_folder.Root, "missing");
        Assert.Equal(
            $"Ticket key directory '{missing}' does not exist.", Assert.Throws<BadInputException>(() => Open(new TicketOptions { Directory = missing })).Message);
        string file = _folder.WriteKey("key", 1);
        Assert.Equal(
            $"Ticket key directory '{file}' is a file.", Assert.Throws<BadInputException>(() => Open(new TicketOptions { Directory = file })).Message);
    }

    [Fact]
    public void Nothing_is_read_after_the_end()
    {
        TicketKeyFiles files = Open(_folder.WriteKey("key", 1));
        files.Dispose();
        _folder.WriteKey("key", 2);
        _folder.Watch.LookNow();
        Assert.Single(_folder.Said);
    }

    private TicketKeyFiles OpenDirectory() => Open(new TicketOptions { Directory = _folder.Root });

    private TicketKeyFiles Open(params string[] keys) => Open(new TicketOptions { Keys = keys });

    private TicketKeyFiles Open(TicketOptions options) => new(options, _folder.Watch, _folder);

    private void MakeRevision(string name, params int[] numbers)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Root, name));
        for (int i = 0; i < numbers.Length; i++)
        {
            _folder.WriteKey($"{name}/key{i}", numbers[i]);
        }
    }

    private static void AssertKeys(TicketKeyFiles files, params int[] numbers)
    {
        using TlsTicketKeys expected = TicketSite.Keys(Math.Max(numbers.Length - 2, 0), numbers);
        Assert.True(files.Ring.Keys.IsSameAs(expected));
    }
}
