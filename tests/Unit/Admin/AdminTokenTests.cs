using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Admin;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Admin;

public sealed class AdminTokenTests : IDisposable
{
    private const string First = "0123456789abcdef";
    private const string Second = "another-token-of-operators";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-token-");

    private string File => Path.Combine(_directory.FullName, "token");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Token_is_the_line_of_the_file_and_nothing_else_is()
    {
        AdminToken token = Load($"{First}\n");
        Assert.True(token.IsToken(First));
        Assert.All(new[] { "", First[..^1], $"{First}0", First.ToUpperInvariant(), $"{First}\n", AdminToken.CookieFor(First) }, wrong => Assert.False(token.IsToken(wrong)));
    }

    [Fact]
    public void Cookie_belongs_to_one_token_and_does_not_show_it()
    {
        AdminToken token = Load(First);
        string cookie = AdminToken.CookieFor(First);
        Assert.True(token.IsCookie(cookie));
        Assert.All(new[] { "", First, AdminToken.CookieFor(Second), cookie[..^1] }, wrong => Assert.False(token.IsCookie(wrong)));
        Assert.DoesNotContain(First, cookie, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_is_let_in_before_the_file_was_read()
    {
        var token = new AdminToken(File, NullLogger<AdminToken>.Instance);
        Assert.False(token.IsToken(First));
        Assert.False(token.IsCookie(AdminToken.CookieFor(First)));
    }

    [Theory]
    [InlineData("", "token has 0 characters; it must have 16 to 1024.")]
    [InlineData("short\n", "token has 5 characters; it must have 16 to 1024.")]
    [InlineData("two words that are long", "token has a blank or a character that is not ASCII; it must be one line of letters, digits and signs.")]
    [InlineData("0123456789abcdef\n0123456789abcdef\n", "it must be one line of letters, digits and signs.")]
    [InlineData("0123456789abcd\u00E9f", "a character that is not ASCII")]
    public void File_without_a_token_is_refused_with_one_sentence(string content, string sentence)
    {
        string message = Assert.Throws<BadInputException>(() => Load(content)).Message;
        Assert.StartsWith($"Server:AdminTokenFile is '{File}', whose token", message, StringComparison.Ordinal);
        Assert.Contains(sentence, message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_is_not_there_is_refused() =>
        Assert.Equal($"Admin token file '{File}' does not exist.", Assert.Throws<BadInputException>(() => new AdminToken(File, NullLogger<AdminToken>.Instance).Load()).Message);

    [Fact]
    public void Changed_token_counts_at_once_and_a_bad_file_keeps_the_old_one()
    {
        var log = new RecordedLog<AdminToken>();
        using var files = new FileWatch(TimeSpan.FromHours(1), TimeProvider.System, NullLogger<FileWatch>.Instance);
        System.IO.File.WriteAllText(File, First);
        var token = new AdminToken(File, log);
        token.WatchIn(files);
        token.Load();

        Replace("bad");
        files.LookNow();
        Assert.True(token.IsToken(First));
        Assert.Equal(
            [$"Error: Changed admin token not taken, the old one stays in force: Server:AdminTokenFile is '{File}', whose token has 3 characters; it must have 16 to 1024."], log.Take());

        Replace(Second);
        files.LookNow();
        Assert.True(token.IsToken(Second));
        Assert.False(token.IsToken(First));
        Assert.False(token.IsCookie(AdminToken.CookieFor(First)));
        Assert.Equal([$"Information: Operators show the changed token in {File} from now on"], log.Take());
    }

    private AdminToken Load(string content)
    {
        System.IO.File.WriteAllText(File, content);
        var token = new AdminToken(File, NullLogger<AdminToken>.Instance);
        token.Load();
        return token;
    }

    /// <summary>As operators do it: another file in its place.</summary>
    private void Replace(string content)
    {
        System.IO.File.WriteAllText($"{File}.new", content);
        System.IO.File.Move($"{File}.new", File, overwrite: true);
    }
}
