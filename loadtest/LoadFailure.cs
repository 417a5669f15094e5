namespace WarpProxy.LoadTest;

/// <summary>A measurement could not be made. The message is one sentence for the user.</summary>
internal sealed class LoadFailure(string message, int exitCode) : Exception(message)
{
    /// <summary>The server or the network is the reason.</summary>
    public const int NothingMeasured = 1;

    /// <summary>The command line is the reason.</summary>
    public const int BadInput = 2;

    public int ExitCode => exitCode;
}
