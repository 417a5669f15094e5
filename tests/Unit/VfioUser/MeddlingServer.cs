using System.Buffers.Binary;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>
/// Stands between one client and a device: passes the client's messages on and has each reply said by a test, in whatever way.
/// </summary>
internal sealed class MeddlingServer : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-test-");
    private readonly UnixListener _listener;
    private readonly UnixSocket _device;
    private readonly Say _say;
    private readonly Thread _thread;

    /// <param name="device">Path of the device's socket.</param>
    /// <param name="say">Says the replies.</param>
    public MeddlingServer(string device, Say say)
    {
        _say = say;
        _listener = UnixListener.Bind(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _device = UnixSocket.Connect(device, ServedDevice.Timeout);
        _thread = new Thread(Run);
        _thread.Start();
    }

    /// <summary>Says one reply.</summary>
    /// <param name="number">Counts the replies, from 1.</param>
    /// <param name="client">Where to.</param>
    /// <param name="reply">What the device said: header and payload.</param>
    /// <param name="descriptors">What came with it.</param>
    /// <returns>False: the connection is closed.</returns>
    public delegate bool Say(int number, UnixSocket client, byte[] reply, FileDescriptor[] descriptors);

    public string Path => System.IO.Path.Combine(_directory.FullName, "meddler.sock");

    /// <summary>Says it as the device did.</summary>
    public static bool Pass(UnixSocket client, byte[] reply, FileDescriptor[] descriptors)
    {
        int sent = client.Send(reply, descriptors, wait: true);
        while (sent < reply.Length)
        {
            sent += client.Send(reply.AsSpan(sent), [], wait: true);
        }

        return true;
    }

    public void Dispose()
    {
        // The client of the test is gone, which ends the thread; or it never came, and nobody does.
        using (UnixSocket nobody = UnixSocket.Connect(Path, ServedDevice.Timeout))
        {
        }

        _thread.Join();
        _device.Dispose();
        _listener.Dispose();
        _directory.Delete(recursive: true);
    }

    private void Run()
    {
        _ = Poll.WaitReadable(_listener.File, null, ServedDevice.Timeout);
        using UnixSocket? client = _listener.TryAccept();
        if (client is null)
        {
            return;
        }

        var descriptors = new List<FileDescriptor>();
        try
        {
            for (int number = 1; ; number++)
            {
                _ = Pass(_device, Message(client, descriptors), [.. descriptors]);
                Close(descriptors);
                byte[] reply = Message(_device, descriptors);
                bool goesOn = _say(number, client, reply, [.. descriptors]);
                Close(descriptors);
                if (!goesOn)
                {
                    return;
                }
            }
        }
        catch (Exception failure) when (failure is LinuxException or EndOfStreamException)
        {
            // One of the two has closed.
        }
        finally
        {
            Close(descriptors);
        }
    }

    private static void Close(List<FileDescriptor> descriptors)
    {
        descriptors.ForEach(static descriptor => descriptor.Dispose());
        descriptors.Clear();
    }

    private static byte[] Message(UnixSocket from, List<FileDescriptor> descriptors)
    {
        byte[] header = Exactly(from, 16, descriptors);
        return [.. header, .. Exactly(from, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4)) - 16, descriptors)];
    }

    private static byte[] Exactly(UnixSocket from, int count, List<FileDescriptor> descriptors)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int received = from.Receive(bytes.AsSpan(at), descriptors, wait: true);
            at += received > 0 ? received : throw new EndOfStreamException();
        }

        return bytes;
    }
}
