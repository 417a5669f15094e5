using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Tickets;

namespace WarpProxy.Tests.Unit.Tickets;

public sealed class TicketKeyReaderTests : IDisposable
{
    private readonly KeyFolder _folder = new();
    private readonly TicketKeyReader _reader = new();

    public void Dispose()
    {
        _reader.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(16, 15)]
    public void Last_key_but_one_encrypts(int count, int encrypting)
    {
        for (int i = 1; i <= count; i++)
        {
            _reader.Read(_folder.WriteKey($"key{i}", i));
        }

        using TlsTicketKeys keys = _reader.CreateSet();
        Assert.Equal((count, TicketSite.Name(encrypting)), (keys.Count, keys.EncryptingName));
    }

    [Theory]
    [InlineData("\n", "\n")]
    [InlineData("\n", "")]
    [InlineData("\r\n", "\r\n\r\n")]
    [InlineData("\n\n", " \n")]
    public void Keys_may_be_lines_of_base64(string between, string end)
    {
        _reader.Read(_folder.WriteText("keys", string.Join(between, KeyFolder.Line(1), KeyFolder.Line(2), KeyFolder.Line(3)) + end));
        using TlsTicketKeys keys = _reader.CreateSet();
        using TlsTicketKeys expected = TicketSite.Keys(1, 1, 2, 3);
        Assert.True(keys.IsSameAs(expected));
    }

    [Fact]
    public void Kinds_of_files_may_be_mixed()
    {
        _reader.Read(_folder.WriteText("old", KeyFolder.Line(1) + "\n" + KeyFolder.Line(2)));
        _reader.Read(_folder.WriteKey("next", 3));
        using TlsTicketKeys keys = _reader.CreateSet();
        using TlsTicketKeys expected = TicketSite.Keys(1, 1, 2, 3);
        Assert.True(keys.IsSameAs(expected));
    }

    [Fact]
    public void Name_HMAC_key_and_AES_key_lie_in_this_order()
    {
        _reader.Read(_folder.Write("key", [.. Enumerable.Range(0, 80).Select(static i => (byte)i)]));
        using TlsTicketKeys keys = _reader.CreateSet();
        Assert.Equal("000102030405060708090a0b0c0d0e0f", keys.EncryptingName);
        Assert.Equal(Enumerable.Range(0, 80).Select(static i => (byte)i), keys.Memory[..80].ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(79)]
    [InlineData(81)]
    [InlineData(160)]
    public void Bytes_that_are_no_key_are_refused(int length)
    {
        string file = _folder.Write("key", [.. Enumerable.Repeat((byte)0xFF, length)]);
        Assert.Equal(
            $"Ticket key file '{file}' has {length} bytes that are no keys; it must be 80 random bytes (openssl rand 80), or lines with that many in base64.", Refusal(file));
    }

    [Fact]
    public void Key_for_AES_128_is_refused()
    {
        string file = _folder.Write("key", new byte[48]);
        Assert.Equal($"Ticket key file '{file}' has 48 bytes, a key for AES-128; it must have 80, for AES-256: openssl rand 80.", Refusal(file));
    }

    [Theory]
    [InlineData(48)]    // for AES-128; also what "openssl rand -base64 80" leaves in its first line
    [InlineData(79)]
    [InlineData(120)]
    public void Line_of_another_length_is_refused(int length)
    {
        string file = _folder.WriteText("keys", KeyFolder.Line(1) + "\n\n" + Convert.ToBase64String(new byte[length]));
        Assert.Equal($"Ticket key file '{file}' has {length} bytes in line 3; it must have 80 in base64 there: openssl rand 80 | base64 -w 0.", Refusal(file));
    }

    [Theory]
    [InlineData("not base64 at all")]
    [InlineData("-----BEGIN PRIVATE KEY-----")]
    [InlineData("AAAA=AAA")]
    [InlineData("\n \n")]
    public void Text_that_is_no_base64_is_refused(string text)
    {
        string file = _folder.WriteText("keys", text);
        Assert.StartsWith($"Ticket key file '{file}' has {text.Length} bytes that are no keys; ", Refusal(file), StringComparison.Ordinal);
    }

    [Fact]
    public void Key_number_17_is_refused()
    {
        string file = _folder.WriteText("keys", string.Join('\n', Enumerable.Range(1, 17).Select(KeyFolder.Line)));
        Assert.Equal($"Ticket key file '{file}' has the ticket key number 17; at most 16 are taken.", Refusal(file));
    }

    [Fact]
    public void Key_of_a_name_that_is_there_is_refused()
    {
        string first = _folder.WriteKey("first", 1);
        string second = _folder.Write("second", [.. Enumerable.Repeat((byte)1, 16), .. Enumerable.Repeat((byte)2, 64)]);
        _reader.Read(first);
        Assert.Equal($"Ticket key files '{first}' and '{second}' have keys that begin with the same 16 bytes, the name; each must have its own.", Refusal(second));
    }

    [Fact]
    public void File_that_is_much_too_long_is_refused()
    {
        string file = _folder.Write("key", new byte[100_000]);
        Assert.Equal($"Ticket key file '{file}' has more than 16384 bytes; at most that many are read.", Refusal(file));
    }

    [Fact]
    public void File_that_cannot_be_read_is_refused()
    {
        Assert.Equal($"Ticket key file '{_folder.Root}/missing' does not exist.", Refusal(_folder.Root + "/missing"));
        Assert.Equal($"Ticket key file '{_folder.Root}' cannot be read: it is a directory.", Refusal(_folder.Root));
    }

    private string Refusal(string file) => Assert.Throws<BadInputException>(() => _reader.Read(file)).Message;
}
