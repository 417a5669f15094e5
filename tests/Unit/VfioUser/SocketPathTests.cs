using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Emulator;
using WarpDrive.Emulator.VfioUser;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

public sealed class SocketPathTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-test-");

    private string Socket => Path.Combine(_directory.FullName, "s");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Socket_is_for_owner_and_group()
    {
        using UnixListener listener = SocketPath.Take(Socket, NullLogger.Instance);
        Assert.Equal((UnixFileMode)0b110_110_000, File.GetUnixFileMode(Socket));
    }

    [Fact]
    public void A_socket_that_nobody_listens_on_is_taken()
    {
        using (var left = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified))
        {
            left.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Socket));
            string kept = Socket + ".kept";
            File.Move(Socket, kept);
            left.Close();
            File.Move(kept, Socket);
        }

        Assert.True(File.Exists(Socket));
        using UnixListener listener = SocketPath.Take(Socket, NullLogger.Instance);
        using UnixSocket client = UnixSocket.Connect(Socket, ServedDevice.Timeout);
        using UnixSocket? accepted = listener.TryAccept();
        Assert.NotNull(accepted);
    }

    [Fact]
    public void A_socket_with_a_live_server_is_refused_and_the_server_stays()
    {
        using var device = new ServedDevice();
        SocketPathException refusal = Assert.Throws<SocketPathException>(
            () => VfioUserServer.Listen(device.Accelerator, new EmulatorOptions(), device.Path, NullLogger.Instance));
        Assert.Equal($"Socket path '{device.Path}' is in use by a server that answers; stop it or choose another path.", refusal.Message);
        using RawClient client = device.Open();
        Assert.Equal(1u, client.ReadRegister(0x2c));
    }

    [Fact]
    public void A_file_is_refused_and_stays()
    {
        File.WriteAllText(Socket, "mine");
        SocketPathException refusal = Assert.Throws<SocketPathException>(() => SocketPath.Take(Socket, NullLogger.Instance));
        Assert.Equal($"Socket path '{Socket}' exists and is no socket; remove it or choose another path.", refusal.Message);
        Assert.Equal("mine", File.ReadAllText(Socket));
    }

    [Fact]
    public void A_directory_and_a_broken_link_are_refused()
    {
        Assert.Throws<SocketPathException>(() => SocketPath.Take(_directory.FullName, NullLogger.Instance));
        File.CreateSymbolicLink(Socket, "nowhere");
        Assert.Throws<SocketPathException>(() => SocketPath.Take(Socket, NullLogger.Instance));
    }

    [Fact]
    public void A_missing_directory_is_named()
    {
        string path = Path.Combine(_directory.FullName, "none", "s");
        SocketPathException refusal = Assert.Throws<SocketPathException>(() => SocketPath.Take(path, NullLogger.Instance));
        Assert.Contains($"directory '{Path.GetDirectoryName(path)}', which does not exist", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(108)]
    public void A_path_of_wrong_length_is_refused_with_its_length(int length)
    {
        SocketPathException refusal = Assert.Throws<SocketPathException>(() => SocketPath.Take(new string('x', length), NullLogger.Instance));
        Assert.Contains($"has {length} bytes; 1 to 107", refusal.Message, StringComparison.Ordinal);
    }
}
