using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

public sealed class FileStampTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Stamp_says_length_and_time_of_the_file()
    {
        string file = Write("a", "12345");
        File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        Assert.True(FileStamp.TryRead(file, out FileStamp stamp));
        Assert.Equal(5ul, stamp.LengthBytes);
        Assert.Equal(new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1_000_000, stamp.ModifiedNs);
    }

    [Fact]
    public void File_replaced_by_one_of_equal_length_and_time_has_another_stamp()
    {
        string file = Write("a", "old");
        string other = Write("b", "new");
        File.SetLastWriteTimeUtc(other, File.GetLastWriteTimeUtc(file));
        Assert.True(FileStamp.TryRead(file, out FileStamp before));
        File.Move(other, file, overwrite: true);
        Assert.True(FileStamp.TryRead(file, out FileStamp after));
        Assert.NotEqual(before, after);
    }

    [Fact]
    public void Links_are_followed()
    {
        string file = Write("a", "text");
        string link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, file);
        Assert.True(FileStamp.TryRead(file, out FileStamp own));
        Assert.True(FileStamp.TryRead(link, out FileStamp through));
        Assert.Equal(own, through);
    }

    [Fact]
    public void File_that_is_not_there_has_none() => Assert.False(FileStamp.TryRead(Path.Combine(_folder, "absent"), out _));

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
