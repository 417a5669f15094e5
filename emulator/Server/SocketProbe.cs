using System.Net.Sockets;
using System.Runtime.InteropServices;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Emulator.Server;

/// <summary>
/// <c>warp-emulator probe</c>: connects to a device as a client does and agrees on the protocol's version, for health checks in images that have neither a
/// shell nor other tools. What answers that all queues are taken serves, too.
/// </summary>
internal static class SocketProbe
{
    /// <summary>Where the images have the socket.</summary>
    public const string DefaultSocket = "/run/warp/device.sock";

    private const ushort MessageId = 1;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>Asks, for at most two seconds, and tells the answer.</summary>
    /// <param name="path">Of the socket.</param>
    /// <param name="output">Gets one sentence.</param>
    /// <returns>The exit code: 0 when a device serves there, else 1.</returns>
    public static async Task<int> RunAsync(string path, TextWriter output)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit.Token);
            await socket.SendAsync(MakeVersion(), limit.Token);
            await using var stream = new NetworkStream(socket);
            byte[] header = new byte[MessageHeader.SizeInBytes];
            await stream.ReadExactlyAsync(header, limit.Token);
            (bool serves, string answer) = Judge(MemoryMarshal.Read<MessageHeader>(header));
            if (serves)
            {
                // To the end: a connection that is closed with bytes unread is reset, which the device's log would tell.
                var size = (int)Math.Min(MemoryMarshal.Read<MessageHeader>(header).Size, ProtocolCapabilities.MaxMessageBytes);
                await stream.ReadExactlyAsync(new byte[Math.Max(size - header.Length, 0)], limit.Token);
            }

            await output.WriteLineAsync($"{path} {answer}.");
            return serves ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            await output.WriteLineAsync($"{path} did not answer within {Limit.TotalSeconds} seconds.");
        }
        catch (EndOfStreamException)
        {
            await output.WriteLineAsync($"{path} closed the connection instead of an answer.");
        }
        catch (Exception failure) when (failure is SocketException or IOException or ArgumentException)
        {
            await output.WriteLineAsync($"{path} cannot be asked: {failure.Message.TrimEnd('.')}.");
        }

        return 1;
    }

    private static byte[] MakeVersion()
    {
        var message = new byte[MessageHeader.SizeInBytes + VersionPayload.SizeInBytes];
        MemoryMarshal.Write(message, new MessageHeader { Id = MessageId, Command = VfioUserCommand.Version, Size = (uint)message.Length });
        MemoryMarshal.Write(
            message.AsSpan(MessageHeader.SizeInBytes), new VersionPayload { Major = VersionPayload.SupportedMajor, Minor = VersionPayload.SupportedMinor });
        return message;
    }

    private static (bool Serves, string Answer) Judge(MessageHeader header)
    {
        if (header.Id != MessageId || header.Command != VfioUserCommand.Version || (header.Flags & MessageFlags.TypeMask) != MessageFlags.Reply)
        {
            return (false, "answers, but not in the vfio-user protocol");
        }

        return (header.Flags & MessageFlags.Error) == 0 ? (true, "serves")
            : header.Error == Errno.ENOSPC ? (true, "serves, and all its queues are taken")
            : (false, $"refuses the protocol's version (errno {header.Error})");
    }
}
