using System.Runtime.InteropServices;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

public sealed partial class CalibrationFileTests : IDisposable
{
    private const string Conditions = "this CPU; these engines";
    private const UnixFileMode OwnerReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly EngineTimes[] Times = [new(213.5, 401, 795), new(1370, 1330, 2667), new(3175, 2963, 5926)];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calibration");
    private readonly string _path;
    private readonly CalibrationFile _file;

    public CalibrationFileTests()
    {
        _path = Path.Combine(_directory.FullName, "cache", "times.json");
        _file = new CalibrationFile(_path);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void What_was_written_is_read_again_and_nothing_else_stays()
    {
        Assert.True(_file.TryWrite(Conditions, Times));
        Assert.Equal(Times, _file.Read(Conditions));
        Assert.Equal(_path, Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(_path)!)));
    }

    [Fact]
    public void Only_the_owner_can_read_it_and_its_folder()
    {
        _file.TryWrite(Conditions, Times);
        Assert.Equal(OwnerReadWrite, File.GetUnixFileMode(_path));
        Assert.Equal(OwnerReadWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(_path)!));
    }

    [Fact]
    public void Times_of_other_conditions_are_passed_over_and_replaced()
    {
        _file.TryWrite("another CPU", Times);
        Assert.Null(_file.Read(Conditions));
        Assert.True(_file.TryWrite(Conditions, Times));
        Assert.NotNull(_file.Read(Conditions));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("garbage")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":[{"Scalar":1,"HalfPass":1,"FullPass":1}""")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":null}""")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":[]}""")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":[{"Scalar":1,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1}]}""")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":[{"Scalar":1,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1}]}""")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":[{"Scalar":-1,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1}]}""")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":[{"Scalar":1e300,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1}]}""")]
    [InlineData("""{"Conditions":"this CPU; these engines","Times":[{"Scalar":"1","HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1},{"Scalar":1,"HalfPass":1,"FullPass":1}]}""")]
    public void Damaged_file_is_passed_over_and_replaced(string content)
    {
        Put(content);
        Assert.Null(_file.Read(Conditions));
        Assert.True(_file.TryWrite(Conditions, Times));
        Assert.Equal(Times, _file.Read(Conditions));
    }

    [Fact]
    public void Longer_file_than_any_that_was_written_is_not_read()
    {
        _file.TryWrite(Conditions, Times);
        File.AppendAllText(_path, new string(' ', 4096));
        Assert.Null(_file.Read(Conditions));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void File_that_others_may_write_is_passed_over(UnixFileMode mode)
    {
        _file.TryWrite(Conditions, Times);
        File.SetUnixFileMode(_path, OwnerReadWrite | mode);
        Assert.Null(_file.Read(Conditions));
    }

    [Fact]
    public void File_of_another_user_is_passed_over()
    {
        // Who is no superuser cannot give files away, but finds some of the superuser's.
        string path = "/etc/passwd";
        if (Environment.IsPrivilegedProcess)
        {
            _file.TryWrite(Conditions, Times);
            path = _path;
            Assert.True(FileOwner.IsOurs(path));
            Assert.Equal(0, chown(path, 12345, 12345));
        }

        Assert.False(FileOwner.IsOurs(path));
        Assert.Null(new CalibrationFile(path).Read(Conditions));
    }

    [Fact]
    public void Link_and_folder_in_its_place_are_passed_over()
    {
        var other = new CalibrationFile(Path.Combine(_directory.FullName, "other.json"));
        other.TryWrite(Conditions, Times);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.CreateSymbolicLink(_path, other.Path);
        Assert.Null(_file.Read(Conditions));
        File.Delete(_path);
        Directory.CreateDirectory(_path);
        Assert.Null(_file.Read(Conditions));
        Assert.False(_file.TryWrite(Conditions, Times));
        Assert.Equal(_path, Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(_path)!)));
    }

    [Fact]
    public void Missing_file_is_no_error() => Assert.Null(_file.Read(Conditions));

    [Theory]
    [InlineData("/proc/warpproxy/times.json")]
    [InlineData("/dev/null/warpproxy/times.json")]
    public void Place_that_cannot_be_written_is_no_error(string path)
    {
        var file = new CalibrationFile(path);
        Assert.False(file.TryWrite(Conditions, Times));
        Assert.Null(file.Read(Conditions));
    }

    [Fact]
    public void Its_place_is_the_users_cache() =>
        Assert.Equal(Path.Combine(TestCache.Directory, "warpproxy", "engine-times.json"), CalibrationFile.Default()!.Path);

    [Fact]
    public void Conditions_tell_CPUs_and_engines_apart()
    {
        using var scalar = new CountingEngine(1);
        using var simd = new CountingEngine(8);
        string here = CalibrationConditions.Read(scalar, simd);
        Assert.Equal(here, CalibrationConditions.Read(scalar, simd));
        Assert.NotEqual(here, CalibrationConditions.Read(simd, simd));
        string[] cpu = ["vendor_id\t: GenuineIntel", "model\t\t: 85", "model name\t: Intel(R) Xeon(R)", "cpu MHz\t: 2500.1", "flags\t\t: fpu avx512f", "", "model name\t: second"];
        string described = CalibrationConditions.DescribeCpu(cpu);
        Assert.StartsWith("Intel(R) Xeon(R), ", described);
        Assert.NotEqual(described, CalibrationConditions.DescribeCpu(cpu.Select(line => line.Replace("avx512f", "avx2"))));
        Assert.Equal(described, CalibrationConditions.DescribeCpu(cpu.Select(line => line.Replace("2500.1", "3100.0"))));
        Assert.StartsWith("unknown CPU, ", CalibrationConditions.DescribeCpu([]));
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chown(string path, uint owner, uint group);

    private void Put(string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.WriteAllText(_path, content);
        File.SetUnixFileMode(_path, OwnerReadWrite);
    }
}
