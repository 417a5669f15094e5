using System.Net;
using System.Net.Sockets;

namespace WarpProxy.LoadTest.Servers;

/// <summary>Ports of 127.0.0.1 that nobody has.</summary>
internal static class FreePort
{
    /// <summary>So many different ports.</summary>
    public static int[] Take(int count)
    {
        // All open at once, so that none comes twice.
        Socket[] sockets = [.. Enumerable.Range(0, count).Select(static _ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        try
        {
            return [.. sockets.Select(static socket =>
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                return ((IPEndPoint)socket.LocalEndPoint!).Port;
            })];
        }
        finally
        {
            Array.ForEach(sockets, static socket => socket.Dispose());
        }
    }
}
