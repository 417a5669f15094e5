namespace WarpProxy.LoadTest.Servers;

/// <summary>How to configure and start one kind of server. Each is a reverse proxy in front of the same origin.</summary>
internal interface IServerRecipe
{
    /// <summary>What its rows are called: <c>nginx, no tickets</c>.</summary>
    string Name { get; }

    /// <summary>Whether there is nothing to compare without it; others are named and left out.</summary>
    bool IsRequired { get; }

    /// <summary>Why it cannot be started here, in one sentence; null when it can.</summary>
    string? FindObstacle();

    /// <summary>Which version it is.</summary>
    string ReadVersion();

    /// <summary>Its configuration and how to start it, for this place.</summary>
    ServerSetup SetUp(ServerSite site);
}

/// <summary>Where a server is to be. Paths in its configuration are relative to its folder, where the identity's files are.</summary>
/// <param name="Folder">Its folder.</param>
/// <param name="Port">Of 127.0.0.1, for its clients.</param>
/// <param name="StatusPort">For its status, if it has one.</param>
/// <param name="OriginPort">Where the origin serves HTTP.</param>
internal sealed record ServerSite(string Folder, int Port, int StatusPort, int OriginPort);

/// <summary>How one server is set up.</summary>
/// <param name="ConfigurationFile">Name of its file.</param>
/// <param name="Configuration">All that the file says.</param>
/// <param name="Commands">Its processes, in the order in which they are started.</param>
/// <param name="StatusUrl">Where it tells what it has done; null when it does not.</param>
internal sealed record ServerSetup(string ConfigurationFile, string Configuration, IReadOnlyList<ServerCommand> Commands, Uri? StatusUrl = null);
