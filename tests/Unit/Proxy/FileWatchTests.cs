using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Files;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class FileWatchTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly ManualTime _time = new();
    private readonly FileWatch _watch;
    private int _told;

    public FileWatchTests() => _watch = new FileWatch(Interval, _time, NullLogger<FileWatch>.Instance);

    public void Dispose()
    {
        _watch.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Nothing_is_told_of_files_that_stay()
    {
        Watch(Write("a", "1"));
        LookTwice();
        Assert.Equal(0, _told);
    }

    [Fact]
    public void File_written_anew_is_told_once()
    {
        string file = Write("a", "1");
        Watch(file);
        Write("a", "22");
        LookTwice();
        LookTwice();
        Assert.Equal(1, _told);
    }

    [Fact]
    public void Change_is_told_when_the_file_has_come_to_rest()
    {
        string file = Write("a", "1");
        Watch(file);
        for (int i = 2; i < 6; i++)
        {
            Write("a", new string('x', i));
            _time.Advance(Interval);
            Assert.Equal(0, _told);
        }

        _time.Advance(Interval);
        Assert.Equal(1, _told);
    }

    [Fact]
    public void Operator_who_asks_need_not_wait()
    {
        string file = Write("a", "1");
        Watch(file);
        Write("a", "22");
        _watch.LookNow();
        Assert.Equal(1, _told);
    }

    [Fact]
    public void Swap_of_a_link_further_up_the_path_is_told()
    {
        // As Kubernetes mounts a Secret: tls.crt -> ..data/tls.crt, ..data -> a folder of its time.
        Directory.CreateDirectory(Path.Combine(_folder, "..first"));
        Directory.CreateDirectory(Path.Combine(_folder, "..second"));
        Write("..first/tls.crt", "1");
        Write("..second/tls.crt", "2");
        string data = Path.Combine(_folder, "..data");
        Directory.CreateSymbolicLink(data, "..first");
        string file = Path.Combine(_folder, "tls.crt");
        File.CreateSymbolicLink(file, "..data/tls.crt");
        Watch(file);
        LookTwice();
        Assert.Equal(0, _told);
        Directory.Delete(data);
        Directory.CreateSymbolicLink(data, "..second");
        LookTwice();
        Assert.Equal(1, _told);
    }

    [Fact]
    public void File_that_vanishes_and_one_that_comes_are_told()
    {
        string file = Write("a", "1");
        Watch(file);
        File.Delete(file);
        LookTwice();
        Write("a", "1");
        LookTwice();
        Assert.Equal(2, _told);
    }

    [Fact]
    public void One_whose_reload_fails_does_not_keep_the_others_from_theirs()
    {
        string file = Write("a", "1");
        using IDisposable broken = _watch.Watch("broken", () => [file], static () => throw new InvalidOperationException("bad file"));
        Watch(file);
        Write("a", "22");
        LookTwice();
        Assert.Equal(1, _told);
    }

    [Fact]
    public void Reload_that_failed_is_tried_again()
    {
        string file = Write("a", "1");
        int calls = 0;
        using IDisposable broken = _watch.Watch("broken", () => [file], () => throw new InvalidOperationException($"call {++calls}"));
        Write("a", "22");
        LookTwice();
        LookTwice();
        Assert.True(calls > 1);
    }

    [Fact]
    public void Change_before_the_first_look_is_told_then()
    {
        using var watch = new FileWatch(Interval, _time, NullLogger<FileWatch>.Instance, isPaused: true);
        string file = Write("a", "1");
        using IDisposable watched = watch.Watch("test", () => [file], () => _told++);
        Write("a", "22");
        watch.LookNow();
        LookTwice();
        Assert.Equal(0, _told);
        watch.Resume();
        LookTwice();
        Assert.Equal(1, _told);
    }

    [Fact]
    public void Change_between_the_reading_and_the_watching_is_told()
    {
        string file = Write("a", "1");
        Assert.True(WarpDrive.Linux.FileStamp.TryRead(file, out WarpDrive.Linux.FileStamp read));
        Write("a", "22");
        using IDisposable watched = _watch.Watch("test", file, read, () => ++_told > 0);
        LookTwice();
        LookTwice();
        Assert.Equal(1, _told);
    }

    [Fact]
    public void What_was_refused_is_tried_again_less_and_less_often_until_it_is_taken()
    {
        string file = Write("a", "1");
        Assert.True(WarpDrive.Linux.FileStamp.TryRead(file, out WarpDrive.Linux.FileStamp read));
        bool isTaken = false;
        using IDisposable watched = _watch.Watch("test", file, read, () =>
        {
            _told++;
            return isTaken;
        });
        Write("a", "22");
        LookTwice();
        Assert.Equal(1, _told);
        var told = new List<int>();
        for (int i = 0; i < 100; i++)
        {
            _time.Advance(Interval);
            told.Add(_told);
        }

        Assert.InRange(told[^1], 5, 9);     // after 2, 4, 8, 16, 32 s, and then each minute
        isTaken = true;
        for (int i = 0; i < 100; i++)
        {
            _time.Advance(Interval);
        }

        Assert.Equal(told[^1] + 1, _told);
    }

    [Fact]
    public void Operator_who_asks_has_a_file_read_that_has_not_changed()
    {
        string file = Write("a", "1");
        Assert.True(WarpDrive.Linux.FileStamp.TryRead(file, out WarpDrive.Linux.FileStamp read));
        using IDisposable watched = _watch.Watch("test", file, read, () => ++_told > 0);
        LookTwice();
        Assert.Equal(0, _told);
        _watch.LookNow();
        Assert.Equal(1, _told);
        _watch.Stop();
        _watch.LookNow();
        Assert.Equal(1, _told);
    }

    [Fact]
    public void One_that_ends_another_keeps_it_from_being_told()
    {
        string file = Write("a", "1");
        IDisposable? second = null;
        using IDisposable first = _watch.Watch("first", () => [file], () => second!.Dispose());
        second = _watch.Watch("second", () => [file], () => _told++);
        Write("a", "22");
        LookTwice();
        Assert.Equal((0, 1), (_told, _watch.Count));
    }

    [Fact]
    public void Nothing_is_told_after_the_end()
    {
        string file = Write("a", "1");
        Watch(file).Dispose();
        Write("a", "22");
        LookTwice();
        Assert.Equal(0, _told);
    }

    private IDisposable Watch(string file) => _watch.Watch("test", () => [file], () => _told++);

    private void LookTwice()
    {
        _time.Advance(Interval);
        _time.Advance(Interval);
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
