namespace WarpProxy.LoadTest.Servers;

/// <summary>A folder for the files of one server, for nobody else, removed in the end.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("warp-loadtest-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
