namespace WarpProxy.LoadTest.Servers;

/// <summary>How to start one process of a server. It starts in the server's folder.</summary>
/// <param name="Path">Of the program.</param>
/// <param name="Arguments">Of the program.</param>
internal sealed record ServerCommand(string Path, IReadOnlyList<string> Arguments)
{
    /// <summary>A Unix socket that the process serves when it is ready; null: the whole server is asked.</summary>
    public string? ReadySocket { get; init; }

    /// <summary>A verb of this program.</summary>
    public static ServerCommand OfThisProgram(params string[] arguments)
    {
        string program = Environment.ProcessPath!;
        return System.IO.Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? new ServerCommand(program, [System.IO.Path.Combine(AppContext.BaseDirectory, "warp-loadtest.dll"), .. arguments])
            : new ServerCommand(program, arguments);
    }

    public override string ToString() => string.Join(' ', [System.IO.Path.GetFileName(Path), .. Arguments]);
}
