using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.Devices;
using WarpDrive.Driver.Paths;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>Where a device is and how to open a queue of it.</summary>
/// <param name="Uri">As configured: <c>embedded:</c>, <c>emulator:/run/warp/device.sock</c>. Unique in a pool.</param>
/// <param name="Open">
/// Opens one queue whose rings have so many entries, or as many as the device has. Throws <see cref="AcceleratorException"/> when it is no device that this driver knows, <see cref="LinuxException"/> when the device is absent or has no queue left, and
/// <see cref="VfioUserProtocolException"/> when what answers is something else.
/// </param>
public sealed record DeviceEndpoint(string Uri, Func<int, DeviceQueue> Open)
{
    /// <summary>The scheme of a device in another process.</summary>
    public const string EmulatorScheme = "emulator:";

    /// <summary>An emulated device.</summary>
    /// <param name="uri">As configured.</param>
    /// <param name="connect">Opens one queue, and throws as <see cref="Open"/> does.</param>
    public DeviceEndpoint(string uri, Func<IVfioDevice> connect)
        : this(uri, depth => EmulatedDevice.Open(connect(), depth))
    {
    }

    /// <summary>
    /// What the device has used of the processors of this process, by the bytes of the modulus; called for each operation. Null: it has its own, and is
    /// judged by its answers alone.
    /// </summary>
    public Func<int, ProcessorWork>? ReadWork { get; init; }

    /// <summary>The emulated device that listens on a Unix socket.</summary>
    /// <param name="uri"><c>emulator:</c> and the path of the socket.</param>
    /// <param name="timeout">The longest wait for an answer while a queue is opened.</param>
    /// <exception cref="AcceleratorException">
    /// The path cannot be a socket's: it is no absolute path, too long, its directory does not exist, or something else stands there. That
    /// nothing listens yet is no error.
    /// </exception>
    public static DeviceEndpoint ForEmulator(string uri, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(uri);
        string path = uri.StartsWith(EmulatorScheme, StringComparison.Ordinal) ? uri[EmulatorScheme.Length..] : "";
        if (!Path.IsPathRooted(path))
        {
            throw new AcceleratorException($"The device is '{uri}'; an emulated device is {EmulatorScheme} and the absolute path of its socket.");
        }

        int pathBytes = System.Text.Encoding.UTF8.GetByteCount(path);
        if (pathBytes > UnixSocket.MaxPathBytes)
        {
            throw new AcceleratorException($"The device is '{uri}', whose path has {pathBytes} bytes; a socket's path has at most {UnixSocket.MaxPathBytes}.");
        }

        if (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            throw new AcceleratorException($"The device is '{uri}', but the directory '{Path.GetDirectoryName(path)}' does not exist.");
        }

        if (Path.Exists(path) && !IsSocket(path))
        {
            throw new AcceleratorException($"The device is '{uri}', but '{path}' is no socket.");
        }

        return new DeviceEndpoint(uri, () => VfioUserClient.Connect(path, timeout));
    }

    private static bool IsSocket(string path)
    {
        try
        {
            return UnixSocket.IsSocketFile(path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new AcceleratorException($"The socket '{path}' may not be used by this user: {e.Message}", e);
        }
    }
}
