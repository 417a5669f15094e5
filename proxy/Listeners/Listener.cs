using WarpProxy.Configuration;

namespace WarpProxy.Listeners;

/// <summary>A listener as configured, after validation, with every section in force.</summary>
/// <param name="Name">Of section <c>Listeners</c>, or the URL of one in <c>Server:Urls</c>.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Options">Its settings; a section that it leaves out is the one at the top of the configuration.</param>
internal sealed record Listener(string Name, ListenAddress Address, ListenerOptions Options)
{
    /// <summary>The path of what configures it.</summary>
    public string Path => Name == Address.ToString() ? $"{ServerOptions.Section}:{nameof(ServerOptions.Urls)}" : $"{ListenerOptions.Section}:{Name}";
}
