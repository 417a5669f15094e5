using System.Text;
using Microsoft.Extensions.Logging;
using WarpDrive.Linux;

namespace WarpDrive.Emulator.VfioUser;

/// <summary>
/// Takes the path that a server listens on: a socket that its server left behind is removed, one with a live server and
/// whatever is no socket are left alone. Two servers that start on one stale socket at the same moment are not told apart.
/// </summary>
internal static class SocketPath
{
    private const UnixFileMode Mode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Listens on <paramref name="path"/>; who may write the file (owner and group) may connect.</summary>
    /// <exception cref="SocketPathException">The path cannot be taken.</exception>
    public static UnixListener Take(string path, ILogger logger)
    {
        CheckPath(path);
        if (Exists(path))
        {
            RemoveStale(path, logger);
        }

        try
        {
            return UnixListener.Bind(path, Mode);
        }
        catch (LinuxException refusal)
        {
            throw new SocketPathException($"Socket path '{path}' cannot be listened on: {refusal.Message}.", refusal);
        }
    }

    private static void CheckPath(string path)
    {
        int bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes is 0 or > UnixSocket.MaxPathBytes || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new SocketPathException($"Socket path '{path}' has {bytes} bytes; 1 to {UnixSocket.MaxPathBytes}, none of them zero, are allowed.");
        }

        string directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        if (!Directory.Exists(directory))
        {
            throw new SocketPathException($"Socket path '{path}' is in directory '{directory}', which does not exist; create it or choose another path.");
        }
    }

    // File.Exists alone says no to a link whose target is missing, which bind(2) refuses all the same.
    private static bool Exists(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private static void RemoveStale(string path, ILogger logger)
    {
        if (!IsSocket(path))
        {
            throw new SocketPathException($"Socket path '{path}' exists and is no socket; remove it or choose another path.");
        }

        try
        {
            UnixSocket.Connect(path, ConnectTimeout).Dispose();
        }
        catch (LinuxException refusal) when (refusal.Error == Errno.ECONNREFUSED)
        {
            Remove(path, logger);
            return;
        }
        catch (LinuxException refusal) when (refusal.Error == Errno.ENOENT)
        {
            // Its owner removed it just now.
            return;
        }
        catch (LinuxException refusal) when (refusal.Error != Errno.EAGAIN)
        {
            throw new SocketPathException($"Socket path '{path}' exists and cannot be tried: {refusal.Message}.", refusal);
        }

        throw new SocketPathException($"Socket path '{path}' is in use by a server that answers; stop it or choose another path.");
    }

    private static bool IsSocket(string path)
    {
        try
        {
            return UnixSocket.IsSocketFile(path);
        }
        catch (UnauthorizedAccessException refusal)
        {
            throw new SocketPathException($"Socket path '{path}' exists and may not be written by this user; choose another path.", refusal);
        }
    }

    private static void Remove(string path, ILogger logger)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            throw new SocketPathException($"Socket path '{path}' is a socket that nobody listens on and cannot be removed: {refusal.Message}", refusal);
        }

        logger.RemovedStaleSocket(path);
    }
}
